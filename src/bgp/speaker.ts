/**
 * The speaker: peers, Loc-RIB, what is originated, and the listening socket. Configured with the whole
 * desired state each time; finds out itself what changes.
 */

import { type Clock, type Prefix, SwitchyardError, type Timer } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import { Bfd, type BfdTransport, nodeBfdTransport } from "./bfd/index.ts";
import {
  checkConfig,
  checkOriginated,
  passwords,
  peersOf,
  ringBytes,
  sameData,
  sessionParameters,
  stalePathSeconds,
} from "./config.ts";
import { Listening } from "./listening.ts";
import { type Memory, MemoryGuard } from "./memory-guard.ts";
import { nodeMemory } from "./node-memory.ts";
import { Originated } from "./originated.ts";
import { Peer } from "./peer.ts";
import type { PeerHost } from "./peer-host.ts";
import { isAnotherPeer, needsNewSession, renamePeers } from "./peer-identity.ts";
import { placeOf } from "./place.ts";
import {
  type Change,
  ExportGroups,
  LocRib,
  type Origination,
  type Path,
  type PrefixNumber,
  prefixIndex,
} from "./rib/index.ts";
import { RibViews } from "./rib-views.ts";
import { RouteFeed } from "./route-feed.ts";
import { type Connection, nodeTransport, type Transport } from "./session/index.ts";
import { Slices } from "./slices.ts";
import { Strangers } from "./strangers.ts";
import type {
  KeptMessage,
  LearnedRoute,
  OriginatedChange,
  OriginatedRoute,
  PeerDetails,
  PeerStatus,
  RefusedConnections,
  RouteChange,
  SpeakerConfig,
} from "./types.ts";
import type {
  ReceivedRoute,
  RouteDetails,
  RouteExplanation,
  RoutePages,
  RouteQuery,
  SentRoute,
} from "./view-types.ts";
import {
  AttributeTable,
  encodeShutdownCommunication,
  notification,
  prefixOfKey,
} from "./wire/index.ts";

export interface SpeakerOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly config: SpeakerConfig;
  /** `node:net` unless told. */
  readonly transport?: Transport;
  /** UDP of the kernel unless told. */
  readonly bfdTransport?: BfdTransport;
  /** This process's unless told. */
  readonly memory?: Memory;
}

const CONVERGENCE_CHECK_MS = 1000;

export class Speaker {
  readonly #clock: Clock;
  readonly #listening: Listening;
  readonly #slices: Slices;
  readonly #rib: LocRib;
  readonly #peers = new Map<string, Peer>();
  /** For whoever dials in. */
  #byPlace = new Map<string, Peer>();
  readonly #feed: RouteFeed;
  readonly #strangers: Strangers;
  readonly #peerListeners = new Set<(peers: readonly PeerStatus[]) => void>();
  readonly #host: PeerHost;
  readonly #views: RibViews;
  readonly #guard: MemoryGuard<Peer>;
  #config: SpeakerConfig;
  readonly #originated: Originated;
  #running = false;
  /** Some peer is told of more than the best path (RFC 7911). */
  #tellsPaths = false;
  #lastPeerId = 0;
  #statusDue = false;
  /** While nothing is told. */
  #deferral: Timer | undefined;
  #convergenceCheck: Timer | undefined;

  constructor(options: SpeakerOptions) {
    checkConfig(options.config);
    this.#clock = options.clock;
    this.#config = options.config;
    const { clock, log, transport = nodeTransport } = options;
    const { originate } = options.config;
    this.#originated = new Originated(originate, (number) => this.#touch(number));
    this.#listening = new Listening({
      ...{ clock, log, transport },
      passwords: () => passwords(this.#config),
      onConnection: (connection) => this.#accept(connection),
    });
    this.#slices = new Slices(options.clock);
    this.#strangers = new Strangers({ clock, log, transport });
    this.#rib = new LocRib(options.config.multipath);
    this.#feed = new RouteFeed({
      slices: this.#slices,
      rib: this.#rib,
      onChanged: (number) => this.#touch(number),
      onOtherChanged: (number) => {
        for (const peer of this.#peers.values()) peer.touchOther(number);
      },
    });
    this.#views = new RibViews({
      peers: this.#peers,
      rib: this.#rib,
      route: (number) => this.#host.route(number),
    });
    const { memory = nodeMemory } = options;
    this.#guard = new MemoryGuard({ clock, log, memory, peers: () => this.#peers.values() });
    this.#host = {
      clock,
      log,
      transport,
      table: new AttributeTable(),
      slices: this.#slices,
      exportGroups: new ExportGroups(),
      bfd: new Bfd({ clock, log, transport: options.bfdTransport ?? nodeBfdTransport }),
      onPath: (number, path) => this.#onChange(number, this.#rib.replace(number, path)),
      onNoPath: (number, peerId, pathId) =>
        this.#onChange(number, this.#rib.remove(number, peerId, pathId)),
      onStatus: () => this.#onStatus(),
      congested: () => this.#feed.congested,
      ringBytes: () => ringBytes(this.#config),
      stalePathSeconds: () => stalePathSeconds(this.#config),
      route: (number) => this.#originated.get(number) ?? this.#rib.best(number),
      routes: (number, ranked) => this.#allRoutes(number, ranked),
      allNumbers: () => this.#allNumbers(),
      deferring: () => this.#deferral !== undefined,
    };
  }

  /** Listens and dials. Rejects when the listening socket cannot be had; nothing runs then. */
  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      await this.#listening.open(this.#config.listen ?? []);
    } catch (error) {
      this.#running = false;
      throw error;
    }
    // Stopped meanwhile.
    if (!this.#running) return;
    const { selectionDeferralSeconds = 0 } = this.#config.gracefulRestart ?? {};
    if (selectionDeferralSeconds > 0) {
      const delayMs = selectionDeferralSeconds * 1000;
      this.#deferral = this.#clock.schedule(delayMs, () => this.#endDeferral());
    }
    this.#apply(this.#config);
    this.#guard.start();
    this.#watchConvergence();
  }

  /**
   * Takes a new desired state. Sessions whose peer is unchanged stay; a change of policy or of what is
   * originated sends only differences. @throws SwitchyardError INVALID_ARGUMENT, and nothing changes
   */
  configure(config: SpeakerConfig): void {
    checkConfig(config);
    const before = this.#config;
    this.#config = config;
    if (!sameData(before.multipath, config.multipath)) {
      for (const number of this.#rib.setMultipath(config.multipath)) this.#feed.changed(number);
    }
    this.#originated.set(config.originate);
    if (!this.#running) return;
    if (!sameData(before.listen, config.listen)) this.#listening.set(config.listen ?? []);
    this.#apply(config);
  }

  /** As `configure`, where nothing but what is originated changes. O(routes originated). */
  originate(routes: readonly OriginatedRoute[]): void {
    checkOriginated(routes);
    this.#originated.set(routes);
  }

  /** Adds to what is originated, and takes from it, at the cost of the change alone. */
  changeOriginated(change: OriginatedChange): void {
    checkOriginated(change.add);
    this.#originated.change(change);
  }

  peers(): PeerStatus[] {
    return [...this.#peers.values()].map((peer) => peer.status());
  }

  /** All that is known of one peer, or of each; nothing of one that is not there. */
  details(peerName?: string): PeerDetails[] {
    const named = peerName === undefined ? undefined : this.#peers.get(peerName);
    const peers = peerName === undefined ? [...this.#peers.values()] : named ? [named] : [];
    return peers.map((peer) => peer.details());
  }

  /** What is wrong with the speaker itself, in words: where it cannot listen, or whose keys it cannot set. */
  problems(): readonly string[] {
    return this.#listening.problems;
  }

  /** Who dialled and is no peer. */
  refused(): RefusedConnections {
    return this.#strangers.refused;
  }

  /**
   * The last messages from and to a peer, the oldest first; its last OPENs, however old they are.
   * @throws SwitchyardError RESOURCE_NOT_FOUND
   */
  messages(peerName: string): KeptMessage[] {
    return this.#named(peerName).messages();
  }

  /** The best route to each prefix learned, in no order. */
  routes(): LearnedRoute[] {
    return this.#feed.routes();
  }

  /**
   * Every path known to exactly this prefix, from all peers, refused ones too: which is the best, and of
   * each other the step of the decision process by which it lost, or why it is no candidate.
   */
  why(prefix: Prefix): RouteExplanation {
    return this.#views.why(prefix);
  }

  /** The best of what was learned, with all its attributes, in pages. */
  locRib(query?: RouteQuery): RoutePages<RouteDetails> {
    return this.#views.locRib(query);
  }

  /**
   * What a peer has told, before the import policy, in pages; of a peer that restarts what is kept for it.
   * @throws SwitchyardError RESOURCE_NOT_FOUND
   */
  adjRibIn(peerName: string, query?: RouteQuery): RoutePages<ReceivedRoute> {
    return this.#views.adjRibIn(peerName, query);
  }

  /**
   * What a peer has been told, after the export policy, in pages; nothing while no session is Established.
   * @throws SwitchyardError RESOURCE_NOT_FOUND
   */
  adjRibOut(peerName: string, query?: RouteQuery): RoutePages<SentRoute> {
    return this.#views.adjRibOut(peerName, query);
  }

  /** Prefixes learned, but from none of these peers in its present session: without the others they would have no route. */
  notLearnedFrom(peers: ReadonlySet<string>): Prefix[] {
    const found: Prefix[] = [];
    for (const number of this.#rib.numbers()) {
      if (!this.#rib.has(number, ({ peer, stale }) => !stale && peers.has(peer)))
        found.push(prefixOfKey(prefixIndex.keyOf(number)));
    }
    return found;
  }

  /**
   * Calls back with what changed from now on, many changes at a time; returns how to stop that. A route
   * that only became stale, or was confirmed by a peer that came back, has not changed.
   */
  onRoutes(listener: (changes: readonly RouteChange[]) => void): () => void {
    return this.#feed.subscribe(listener);
  }

  /**
   * Calls back with the status of all peers after any of them changed its state, `lastError`,
   * `endOfRib` or `gracefulRestart`, and when `converged` first turns true; counters alone are not
   * told. Returns how to stop that.
   */
  onPeers(listener: (peers: readonly PeerStatus[]) => void): () => void {
    this.#peerListeners.add(listener);
    return () => this.#peerListeners.delete(listener);
  }

  /**
   * True when nothing more is expected to be learned of what the network knew before this speaker
   * started. A peer is waited for while it is
   * - Established, until its End-of-RIB for every family of the session; a peer that did not announce
   *   graceful restart (RFC 4724) sends none: two seconds without an UPDATE stand for it;
   * - away, with its routes kept for it (`PeerStatus.gracefulRestart`);
   * - never yet Established, for as long as our own restart time after it was configured: so long
   *   the neighbours of a restarted speaker keep its routes.
   * False before `start`.
   */
  converged(): boolean {
    if (!this.#running || !this.#feed.idle) return false;
    for (const peer of this.#peers.values()) if (!peer.converged()) return false;
    return true;
  }

  /** Asks a peer to send all its routes again (RFC 2918). Nothing happens unless it is Established. */
  refresh(peerName: string): void {
    this.#named(peerName).refresh();
  }

  #named(name: string): Peer {
    const peer = this.#peers.get(name);
    if (peer) return peer;
    throw new SwitchyardError("RESOURCE_NOT_FOUND", `no BGP peer is named ${name}`);
  }

  /**
   * `notify: true` tells peers Cease / Administrative Shutdown, with `message` as the operator's words
   * (RFC 9003), and they drop our routes. Otherwise connections just close, and peers keep our routes
   * for our restart time (RFC 4724).
   */
  async stop(
    options: { readonly notify?: boolean; readonly message?: string } = {},
  ): Promise<void> {
    this.#running = false;
    this.#listening.close();
    this.#convergenceCheck?.cancel();
    this.#deferral?.cancel();
    this.#deferral = undefined;
    const words = options.message ? encodeShutdownCommunication(options.message) : undefined;
    const message = options.notify ? notification("administrativeShutdown", words) : undefined;
    for (const peer of this.#peers.values()) peer.stop(message, "this speaker stops");
    this.#peers.clear();
    this.#byPlace.clear();
    this.#guard.stop();
  }

  #accept(connection: Connection): void {
    const { remoteAddress: address, device } = connection;
    const peer = this.#byPlace.get(placeOf({ address, device }));
    if (peer === undefined) this.#strangers.refuse(connection);
    else peer.accept(connection);
  }

  #apply(config: SpeakerConfig): void {
    this.#tellsPaths = config.peers.some(({ addPath }) => addPath?.send !== undefined);
    const wanted = new Map(peersOf(config).map((peer) => [peer.name, peer]));
    renamePeers(this.#peers, wanted);
    for (const [name, peer] of this.#peers) {
      const next = wanted.get(name);
      if (next === undefined) {
        this.#peers.delete(name);
        peer.remove(peer.config.leaveQuietly);
      } else if (isAnotherPeer(peer, sessionParameters(config, next))) {
        this.#peers.delete(name);
        peer.remove();
      } else if (needsNewSession(peer, next, config)) {
        peer.renew(next, sessionParameters(config, next));
      } else if (!sameData(peer.config, next)) {
        peer.reconfigure(next);
      }
    }
    for (const peer of this.#peers.values()) peer.setRingBytes(ringBytes(config));
    this.#listening.setPasswords();
    for (const next of wanted.values()) {
      if (this.#peers.has(next.name)) continue;
      const parameters = sessionParameters(config, next);
      const peer = new Peer({ id: ++this.#lastPeerId, config: next, parameters, host: this.#host });
      this.#peers.set(next.name, peer);
      peer.start();
    }
    const all = [...this.#peers.values()];
    this.#byPlace = new Map(all.map((peer) => [placeOf(peer.config), peer]));
    this.#onStatus();
  }

  #onChange(number: PrefixNumber, change: Change): void {
    if (change === "best" || change === "equal") this.#feed.changed(number);
    else if (change === "other" && this.#tellsPaths) this.#feed.otherChanged(number);
  }

  #touch(number: PrefixNumber): void {
    if (this.#peers.size === 0) return;
    const route = this.#host.route(number);
    for (const peer of this.#peers.values()) peer.touch(number, route);
  }

  *#allRoutes(number: PrefixNumber, ranked: boolean): Generator<Origination | Path, void> {
    const own = this.#originated.get(number);
    if (own) yield own;
    yield* ranked ? this.#rib.ranked(number) : this.#rib.paths(number);
  }

  *#allNumbers(): Generator<PrefixNumber> {
    yield* this.#originated.numbers();
    yield* this.#rib.numbers();
  }

  /** It may turn true because time passes, without any event. */
  #watchConvergence(): void {
    this.#convergenceCheck = this.#clock.schedule(CONVERGENCE_CHECK_MS, () => {
      if (this.converged()) this.#onStatus();
      else this.#watchConvergence();
    });
  }

  #endDeferral(): void {
    this.#deferral?.cancel();
    this.#deferral = undefined;
    for (const peer of this.#peers.values()) peer.endDeferral();
  }

  #onStatus(): void {
    if (this.#deferral && [...this.#peers.values()].every((peer) => peer.toldAll())) {
      this.#endDeferral();
    }
    if (this.#statusDue || this.#peerListeners.size === 0) return;
    this.#statusDue = true;
    this.#clock.schedule(0, () => {
      this.#statusDue = false;
      const peers = this.peers();
      for (const listener of this.#peerListeners) listener(peers);
    });
  }
}
