/** Owns the speaker: starts it when the node has an address, feeds it configuration, reads routes. */

import {
  type OriginatedChange,
  type PeerDetails,
  type PeerStatus,
  Speaker,
  type SpeakerConfig,
} from "../bgp/index.ts";
import { type BgpSource, endDocument, type SpeakerView } from "../bgp/view/index.ts";
import {
  type Clock,
  formatAddress,
  formatPrefix,
  type Prefix,
  prefixCovers,
} from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import type { LearnedFacts } from "../plan/index.ts";
import type { BgpPlan, MeshPlan, PeeringType } from "./peering/index.ts";
import { sameConfig } from "./same-config.ts";
import type { AgentPeerStatus } from "./status.ts";

/** BGP has as long as a restarting peer would be waited for; then what is there has to do. */
const CONVERGENCE_LIMIT_MS = 120_000;

/** The only reason to close sessions with a word: what the operator of a neighbour reads in its log. */
const IDENTITY_CHANGED = "the node's AS number or router id has changed";

export type SpeakerPort = Pick<
  Speaker,
  | "start"
  | "stop"
  | "configure"
  | "originate"
  | "changeOriginated"
  | "routes"
  | "peers"
  | "onRoutes"
  | "onPeers"
  | "converged"
  | "problems"
  | "notLearnedFrom"
> &
  SpeakerView;

/** How this node stands with the mesh, and with what is there instead of it. */
export interface MeshStanding {
  readonly plan: MeshPlan;
  /** Sessions of the mesh, and outside of it. */
  readonly mesh: readonly PeerStatus[];
  readonly outside: readonly PeerStatus[];
  /** Prefixes that no Established session outside of the mesh has told of, but for such a peer's own. */
  readonly untold: readonly Prefix[];
}

export interface BgpSessions {
  readonly localAs: number;
  readonly peers: readonly (PeerStatus & { readonly kind: PeeringType })[];
}

export interface BgpRunnerOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Called when routes or peers may have changed; with prefixes where nothing but their routes has. */
  readonly changed: (prefixes?: readonly Prefix[]) => void;
  /** A real speaker unless told. */
  readonly makeSpeaker?: ((config: SpeakerConfig) => SpeakerPort) | undefined;
}

export class BgpRunner {
  readonly #clock: Clock;
  readonly #changed: (prefixes?: readonly Prefix[]) => void;
  readonly #makeSpeaker: (config: SpeakerConfig) => SpeakerPort;
  /** When this identity was to speak for the first time. */
  #sinceMs: number | undefined;
  #speaker: SpeakerPort | undefined;
  #plan: BgpPlan | undefined;
  #identity = "";
  /** What the speaker was told last: telling it the same again would make it tell us the same again. */
  #configured: SpeakerConfig | undefined;
  /** By the text of the prefix. */
  readonly #learned = new Map<string, LearnedFacts>();
  #converged = false;

  constructor({ clock, log, changed, makeSpeaker }: BgpRunnerOptions) {
    this.#clock = clock;
    this.#changed = changed;
    this.#makeSpeaker = makeSpeaker ?? ((config) => new Speaker({ clock, log, config }));
  }

  /** Brings the speaker to this configuration; only a new identity restarts its sessions. */
  async configure(plan: BgpPlan | undefined): Promise<void> {
    const config = plan?.config;
    const identity = config ? `${config.localAs} ${config.routerId}` : "";
    if (this.#speaker && identity !== this.#identity) await this.stop(true);
    this.#plan = plan;
    if (!config) return;
    this.#sinceMs ??= this.#clock.monotonicMs();
    const before = this.#configured;
    if (this.#speaker && before) {
      if (!sameConfig(before, config)) this.#speaker.configure(config);
      else if (before.originate !== config.originate) this.#speaker.originate(config.originate);
      // What was refused is asked for again.
      this.#configured = config;
      return;
    }
    const speaker = this.#makeSpeaker(config);
    await speaker.start();
    this.#speaker = speaker;
    this.#identity = identity;
    this.#configured = config;
    this.#learned.clear();
    for (const route of speaker.routes()) this.#learn(route.prefix, route);
    speaker.onRoutes((changes) => {
      for (const { prefix, best } of changes) this.#learn(prefix, best);
      this.#changed(changes.map(({ prefix }) => prefix));
    });
    speaker.onPeers(() => this.#changed());
  }

  /** Nothing else changes, and nothing is started. What is told then is what is configured next. */
  changeOriginated(change: OriginatedChange): void {
    this.#speaker?.changeOriginated(change);
  }

  /** Routes learned that the kernel is to have, one best per prefix. */
  learned(): readonly LearnedFacts[] {
    return [...this.#learned.values()].filter(({ prefix }) => this.#isProgrammed(prefix));
  }

  /** The route learned for a prefix, if there is one that the kernel is to have. */
  learnedAt(prefix: Prefix): readonly LearnedFacts[] {
    if (!this.#isProgrammed(prefix)) return [];
    const learned = this.#learned.get(formatPrefix(prefix));
    return learned ? [learned] : [];
  }

  #isProgrammed(prefix: Prefix): boolean {
    return !this.#plan?.unprogrammed.some((cidr) => prefixCovers(cidr, prefix));
  }

  #learn(prefix: Prefix, best: LearnedFacts | undefined): void {
    const key = formatPrefix(prefix);
    const { nextHop, nextHops } = best ?? {};
    if (nextHop !== undefined) {
      this.#learned.set(key, { prefix, nextHop, ...(nextHops ? { nextHops } : {}) });
    } else this.#learned.delete(key);
  }

  /** Once true it stays true for this identity: what BGP withdraws from then on is really gone. */
  converged(): boolean {
    // Before the datastore has said whom to speak with, time does not count.
    const waitedMs = this.#clock.monotonicMs() - (this.#sinceMs ?? Number.POSITIVE_INFINITY);
    this.#converged ||= waitedMs > CONVERGENCE_LIMIT_MS || (this.#speaker?.converged() ?? false);
    return this.#converged;
  }

  peers(): AgentPeerStatus[] {
    return (this.#speaker?.details() ?? []).map((peer) => this.#peerStatus(peer));
  }

  /** For whoever asks about peers and routes; undefined while nothing is spoken. */
  source(): BgpSource | undefined {
    const speaker = this.#speaker;
    const config = this.#plan?.config;
    if (speaker === undefined || config === undefined) return undefined;
    const { localAs, routerId } = config;
    const typeOf = (name: string) => this.#plan?.types.get(name);
    return { localAs, routerId, speaker, typeOf };
  }

  /** What others are to know of the sessions, but for those with pods; undefined while nothing is spoken. */
  sessions(): BgpSessions | undefined {
    const localAs = this.#plan?.config.localAs;
    if (this.#speaker === undefined || localAs === undefined) return undefined;
    const peers = this.#speaker.peers().map((peer) => ({ ...peer, kind: this.#kindOf(peer) }));
    return { localAs, peers: peers.filter(({ kind }) => kind !== "local workload") };
  }

  /** Undefined while nothing is spoken. O(routes). */
  mesh(): MeshStanding | undefined {
    if (this.#speaker === undefined || this.#plan === undefined) return undefined;
    const peers = this.#speaker.peers();
    const mesh = peers.filter((peer) => this.#kindOf(peer) === "node-to-node mesh");
    // Pods come and go, and stand for no node.
    const instead = new Set<PeeringType>(["global", "node specific"]);
    const outside = peers.filter((peer) => instead.has(this.#kindOf(peer)));
    const untold = this.untold(new Set(mesh.map(({ name }) => name)));
    return { plan: this.#plan.mesh, mesh, outside, untold };
  }

  /** Prefixes for the kernel that no Established session but those with these peers has told of. O(routes). */
  untold(without: ReadonlySet<string>): readonly Prefix[] {
    const others = (this.#speaker?.peers() ?? []).filter(({ name }) => !without.has(name));
    const up = others.filter(({ state }) => state === "Established");
    const found = this.#speaker?.notLearnedFrom(new Set(up.map(({ name }) => name))) ?? [];
    // What a peer that is away itself announced goes and comes with it, whether the rest is there or not.
    const own = new Set(others.map(({ address }) => address));
    return found
      .filter((prefix) => this.#isProgrammed(prefix))
      .filter((prefix) => !this.learnedAt(prefix).some(({ nextHop }) => own.has(nextHop)));
  }

  /** Peers whose routes are there: told, or kept while they restart. */
  carrying(): ReadonlySet<string> {
    const peers = this.#speaker?.peers() ?? [];
    const carrying = peers.filter((peer) => peer.state === "Established" || peer.gracefulRestart);
    return new Set(carrying.map(({ name }) => name));
  }

  get problems(): readonly string[] {
    const own = this.#speaker?.problems().map((problem) => `BGP: ${problem}`) ?? [];
    return [...(this.#plan?.problems ?? []), ...own];
  }

  /** `notify` false closes without a word, so that neighbours keep our routes (RFC 4724). */
  async stop(notify: boolean): Promise<void> {
    const speaker = this.#speaker;
    this.#speaker = undefined;
    this.#learned.clear();
    this.#converged = false;
    this.#sinceMs = undefined;
    await speaker?.stop(notify ? { notify, message: IDENTITY_CHANGED } : { notify });
  }

  #kindOf({ name }: PeerStatus): PeeringType {
    return this.#plan?.types.get(name) ?? "global";
  }

  #peerStatus(peer: PeerDetails): AgentPeerStatus {
    const up = peer.state === "Established";
    // Short, as BIRD's; all that is known of it stands in the history.
    const why = peer.ends[0]?.name ?? peer.lastError;
    return {
      address: formatAddress(peer.address),
      type: this.#kindOf(peer),
      state: up ? "up" : "start",
      up,
      since: new Date(peer.sinceMs).toISOString(),
      info: up || !why ? peer.state : `${peer.state} ${why}`,
      history: peer.ends.map(endDocument),
    };
  }
}
