/** Resources and a speaker as tests of the agent need them, in the network of the documentation. */

import type { LearnedRoute, PeerStatus, RouteChange, SpeakerConfig } from "../bgp/index.ts";
import { prefixEquals } from "../lib/index.ts";
import type { BlockAffinity, IPPool, IPPoolSpec, Node } from "../model/index.ts";
import type { SpeakerPort } from "./bgp-runner.ts";
import type { ClusterView } from "./view.ts";

const calico = "projectcalico.org/v3";

export function nodeResource(
  name: string,
  ipv4Address: string,
  labels: Record<string, string> = {},
): Node {
  return {
    apiVersion: calico,
    kind: "Node",
    metadata: { name, labels },
    spec: { bgp: { ipv4Address } },
  };
}

export function poolResource(spec: Partial<IPPoolSpec> = {}, name = "default-ipv4-ippool"): IPPool {
  return {
    apiVersion: calico,
    kind: "IPPool",
    metadata: { name },
    spec: { cidr: "10.244.0.0/16", ipipMode: "Always", natOutgoing: true, ...spec },
  };
}

export function affinityResource(node: string, cidr: string): BlockAffinity {
  return {
    apiVersion: calico,
    kind: "BlockAffinity",
    metadata: { name: `${node}-${cidr.replace(/[./]/g, "-")}` },
    spec: { state: "confirmed", node, cidr },
  };
}

export function clusterView(overrides: Partial<ClusterView> = {}): ClusterView {
  return {
    nodes: [
      nodeResource("node1", "172.139.20.75/24", { rack: "20" }),
      nodeResource("node2", "172.139.20.76/24", { rack: "20" }),
      nodeResource("node3", "172.139.30.75/24", { rack: "30" }),
    ],
    pools: [poolResource()],
    affinities: [
      affinityResource("node1", "10.244.1.0/26"),
      affinityResource("node2", "10.244.2.0/26"),
      affinityResource("node3", "10.244.3.0/26"),
    ],
    workloads: [],
    bgpConfigurations: [],
    bgpPeers: [],
    felixConfigurations: [],
    nodeModes: [],
    modeChanges: [],
    borrowed: [],
    ...overrides,
  };
}

/** A speaker without a network: the test says what it learns. */
export class FakeSpeaker implements SpeakerPort {
  /** Why no speaker can start, while set. */
  static refuseStart: string | undefined;
  readonly config: SpeakerConfig;
  /** Configurations after the first. */
  readonly configured: SpeakerConfig[] = [];
  stopped: { readonly notify?: boolean } | undefined;
  isConverged = false;
  peerList: readonly PeerStatus[] = [];
  #routes: readonly LearnedRoute[] = [];
  readonly #listeners: ((changes: readonly RouteChange[]) => void)[] = [];

  constructor(config: SpeakerConfig) {
    this.config = config;
  }

  async start(): Promise<void> {
    if (FakeSpeaker.refuseStart !== undefined) throw new Error(FakeSpeaker.refuseStart);
  }

  async stop(options: { readonly notify?: boolean } = {}): Promise<void> {
    this.stopped = options;
  }

  configure(config: SpeakerConfig): void {
    this.configured.push(config);
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
