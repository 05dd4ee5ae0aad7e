/** Resources and a speaker as tests of the agent need them. */

import type {
  KeptMessage,
  LearnedRoute,
  OriginatedChange,
  OriginatedRoute,
  PeerDetails,
  PeerStatus,
  ReceivedRoute,
  RefusedConnections,
  RouteChange,
  RouteDetails,
  RouteExplanation,
  RoutePages,
  SentRoute,
  SpeakerConfig,
} from "../bgp/index.ts";
import { type Prefix, prefix4, prefixEquals } from "../lib/index.ts";
import type { SpeakerPort } from "./bgp-runner.ts";
import type { HostReading } from "./host/reading.ts";

export {
  affinityResource,
  clusterView,
  nodeResource,
  poolResource,
} from "../facts/testing/resources.ts";

/** A host with one device, `eth0`, that holds the address of `node1`. */
export function hostReading(change: Partial<HostReading> = {}): HostReading {
  const eth0 = { index: 2, name: "eth0", mtu: 1500, up: true, arp: true, operState: "UP" };
  return {
    kernel: "6.1.0-18-amd64",
    links: [eth0],
    addresses: [{ index: 2, prefix: prefix4("172.139.20.75/24"), scope: "global" }],
    rpFilter: new Map(),
    udpPorts: new Set(),
    modules: { ipip: "present", vxlan: "present" },
    bpfProblem: undefined,
    driver: "virtio_net",
    offloads: [],
    tunnelSockets: new Map(),
    ...change,
  };
}

/** A speaker without a network: the test says what it learns. */
export class FakeSpeaker implements SpeakerPort {
  /** Why no speaker can start, while set. */
  static refuseStart: string | undefined;
  readonly config: SpeakerConfig;
  /** Configurations after the first. */
  readonly configured: SpeakerConfig[] = [];
  stopped: { readonly notify?: boolean; readonly message?: string } | undefined;
  isConverged = false;
  peerList: readonly PeerDetails[] = [];
  troubles: readonly string[] = [];
  #routes: readonly LearnedRoute[] = [];
  readonly #listeners: ((changes: readonly RouteChange[]) => void)[] = [];

  constructor(config: SpeakerConfig) {
    this.config = config;
  }

  async start(): Promise<void> {
    if (FakeSpeaker.refuseStart !== undefined) throw new Error(FakeSpeaker.refuseStart);
  }

  async stop(
    options: { readonly notify?: boolean; readonly message?: string } = {},
  ): Promise<void> {
    this.stopped = options;
  }

  configure(config: SpeakerConfig): void {
    this.configured.push(config);
  }

  originate(originate: readonly OriginatedRoute[]): void {
    this.configured.push({ ...(this.configured.at(-1) ?? this.config), originate });
  }

  changeOriginated(change: OriginatedChange): void {
    const { originate } = this.configured.at(-1) ?? this.config;
    const isGone = ({ prefix }: OriginatedRoute) =>
      change.remove.some((gone) => prefixEquals(gone, prefix));
    this.originate([...originate.filter((route) => !isGone(route)), ...change.add]);
  }

  teach(routes: readonly LearnedRoute[]): void {
    const gone = this.#routes.filter(
      ({ prefix }) => !routes.some((route) => prefixEquals(route.prefix, prefix)),
    );
    this.#routes = routes;
    const changes = [
      ...gone.map(({ prefix }) => ({ prefix, best: undefined })),
      ...routes.map((best) => ({ prefix: best.prefix, best })),
    ];
    for (const listener of this.#listeners) listener(changes);
  }

  routes(): LearnedRoute[] {
    return [...this.#routes];
  }

  peers(): PeerStatus[] {
    return [...this.peerList];
  }

  details(): PeerDetails[] {
    return [...this.peerList];
  }

  problems(): readonly string[] {
    return this.troubles;
  }

  refused(): RefusedConnections {
    return { total: 0, recent: [] };
  }

  messages(): KeptMessage[] {
    return [];
  }

  why(prefix: Prefix): RouteExplanation {
    return { prefix, originated: false, paths: [], told: [] };
  }

  *locRib(): RoutePages<RouteDetails> {}

  *adjRibIn(): RoutePages<ReceivedRoute> {}

  *adjRibOut(): RoutePages<SentRoute> {}

  notLearnedFrom(peers: ReadonlySet<string>): Prefix[] {
    return this.#routes.flatMap(({ peer, prefix }) => (peers.has(peer) ? [] : [prefix]));
  }

  converged(): boolean {
    return this.isConverged;
  }

  onRoutes(listener: (changes: readonly RouteChange[]) => void): () => void {
    this.#listeners.push(listener);
    return () => {};
  }

  onPeers(): () => void {
    return () => {};
  }
}
