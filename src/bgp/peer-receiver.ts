/**
 * The receiving side of one peer, through all its sessions: Adj-RIB-in, the import policy behind it, and
 * what is kept while the peer restarts (RFC 4724). What passes goes to the speaker.
 */

import { formatPrefix } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import { keepsLonger, sameData } from "./config.ts";
import type { KnownPath } from "./explain.ts";
import { heldBytes } from "./held-bytes.ts";
import { MalformedReport } from "./malformed-report.ts";
import type { PeerHost } from "./peer-host.ts";
import { compilePolicy, type Policy } from "./policy/index.ts";
import { RefusedPaths } from "./refused-paths.ts";
import { RestartHelper } from "./restart-helper.ts";
import {
  AdjRibIn,
  AdjRibInPaths,
  type AdjRibInTable,
  type Identity,
  longLivedStale,
  MAXIMUM_PATHS,
  type Path,
  PathCache,
  type PathSink,
  PathVariants,
  type PrefixNumber,
  prefixIndex,
  type Source,
} from "./rib/index.ts";
import type { Negotiated, SessionParameters } from "./session/index.ts";
import type { AddressFamily, PeerConfig } from "./types.ts";
import {
  afiSafiOf,
  concatBytes,
  familyOfKey,
  ProtocolError,
  prefixOfKey,
  type Reach,
  type RouteRefresh,
  type Update,
  uint16,
  uint32,
  wellKnownCommunity,
} from "./wire/index.ts";

export interface PeerReceiverOptions {
  /** Unique among all peers this speaker ever had. */
  readonly id: number;
  readonly config: PeerConfig;
  readonly families: readonly AddressFamily[];
  readonly host: Pick<
    PeerHost,
    "clock" | "slices" | "onPath" | "onNoPath" | "onStatus" | "stalePathSeconds"
  >;
  readonly log: Log;
  /** The session is to end with this. */
  readonly fail: (error: ProtocolError) => void;
}

/** What the session now Established is about. */
interface Reception {
  readonly source: Source;
  readonly negotiated: Negotiated;
  readonly parameters: SessionParameters;
}

export class PeerReceiver {
  readonly #options: PeerReceiverOptions;
  readonly #tables = new Map<AddressFamily, AdjRibInTable>();
  readonly #helper: RestartHelper;
  readonly #variants = new PathVariants();
  readonly #malformed: MalformedReport;
  readonly #ended = new Set<AddressFamily>();
  #config: PeerConfig;
  #log: Log;
  #policy: Policy | undefined;
  #reception: Reception | undefined;
  #paths: PathCache | undefined;
  #lastUpdateMs = 0;
  /** The log knows that in this session paths were left out. */
  #leftOut = false;
  readonly #refused = new RefusedPaths();

  constructor(options: PeerReceiverOptions) {
    const { clock, slices, onStatus, stalePathSeconds } = options.host;
    this.#options = options;
    this.#config = options.config;
    this.#log = options.log;
    this.#malformed = new MalformedReport(clock);
    for (const family of options.families) this.#tables.set(family, new AdjRibIn(this.#import));
    this.#helper = new RestartHelper({
      ...{ clock, slices, tables: this.#tables, onChange: onStatus, stalePathSeconds },
      age: (path, number) => this.#kept(number, path),
      maximumStaleSeconds: (family) => maximumStaleSeconds(this.#config, family),
    });
    this.#takeSeveralPaths();
  }

  get routesReceived(): number {
    let sum = 0;
    for (const table of this.#tables.values()) sum += table.size;
    return sum;
  }

  /** Of these, the candidates of the decision process. */
  get routesAccepted(): number {
    return this.routesReceived - this.#refused.size;
  }

  /** Roughly, what its routes take. */
  heldBytes(): number {
    return heldBytes(this.#tables.values());
  }

  /** UPDATEs that RFC 7606 lets pass with errors in them. */
  get malformed(): number {
    return this.#malformed.total;
  }

  /** Routes are kept for a peer that is away. */
  get waiting(): boolean {
    return this.#helper.waiting;
  }

  /** They are kept for longer than that (RFC 9494). */
  get longLived(): boolean {
    return this.#helper.longLived;
  }

  /** It will not come back with what it forwarded before. */
  giveUpWaiting(): void {
    this.#helper.giveUp();
  }

  /** Of the last UPDATE, else of the session's beginning; monotonic. */
  get lastUpdateMs(): number {
    return this.#lastUpdateMs;
  }

  /** End-of-RIB came in this session for all of them. */
  ended(families: readonly AddressFamily[]): boolean {
    return families.every((family) => this.#ended.has(family));
  }

  /** Prefixes in its Adj-RIBs-in; one that changes while they are walked over may come twice. */
  *numbers(): Generator<PrefixNumber> {
    for (const table of this.#tables.values()) yield* table.numbers();
  }

  /** What the peer told of a prefix, and what became of it. */
  known(number: PrefixNumber): KnownPath[] {
    const received = this.#tables.get(prefixIndex.familyOf(number))?.paths(number) ?? [];
    return received.map((path) => this.#judged(number, path));
  }

  #judged(number: PrefixNumber, received: Path): KnownPath {
    if (received.refusal !== undefined) return { received, refusal: received.refusal };
    const { peerType: source } = received.source;
    const key = prefixIndex.keyOf(number);
    const asked = { key, source, route: received };
    const rule = this.#importPolicy(source).rejecting(asked, this.#variants.apply);
    return rule === undefined ? { received } : { received, refusal: "import-policy", rule };
  }

  onEstablished(reception: Reception): void {
    this.#reception = reception;
    this.#lastUpdateMs = this.#options.host.clock.monotonicMs();
    this.#ended.clear();
    this.#leftOut = false;
    const { source, parameters } = reception;
    const { allowedLocalAs } = parameters;
    this.#paths = new PathCache({ source, identity: identityOf(parameters), allowedLocalAs });
    this.#helper.onEstablished(reception.negotiated, source);
  }

  /** `restartable`: the session ended in a way after which routes may be kept. */
  onDown(restartable: boolean): void {
    if (this.#reception) this.#reception.source.stale = true;
    this.#reception = undefined;
    this.#ended.clear();
    this.#helper.onDown(restartable);
  }

  /** Takes another import policy, for what is known already too. */
  reconfigure(config: PeerConfig, log: Log): void {
    const samePolicy = sameData(this.#config.importPolicy, config.importPolicy);
    this.#config = config;
    this.#log = log;
    this.#takeSeveralPaths();
    if (this.#reception) this.#reception.source.peer = config.name;
    if (this.#reception) this.#checkMaximum();
    if (samePolicy) return;
    this.#policy = undefined;
    this.#variants.forgetRules();
    for (const table of this.#tables.values()) {
      const replay = table.replay();
      this.#options.host.slices.add(() => !replay.next().done);
    }
  }

  stop(): void {
    this.#helper.stop();
  }

  dropAll(): void {
    this.#helper.dropAll();
  }

  onUpdate(update: Update): void {
    const reception = this.#reception;
    const paths = this.#paths;
    if (reception === undefined || paths === undefined) return;
    this.#lastUpdateMs = this.#options.host.clock.monotonicMs();
    this.#malformed.see(update, this.#log);
    const { withdrawn, withdrawnIds } = update;
    for (let at = 0; at < withdrawn.length; at++) {
      const key = withdrawn[at]!;
      const number = prefixIndex.find(key);
      if (number === undefined) continue;
      this.#carried(familyOfKey(key), reception)?.withdraw(number, withdrawnIds?.[at] ?? 0);
    }
    for (const reach of update.reach) this.#announce(reach, reception, paths);
    if (update.endOfRib) this.#onEndOfRib(update.endOfRib);
    this.#checkMaximum();
  }

  /** The marks around a refresh that the peer was asked for (RFC 7313). */
  onRefreshMark(family: AddressFamily, subtype: RouteRefresh["subtype"]): void {
    const ignored = (why: string) => this.#malformed.seeRefresh(family, why, this.#log);
    if (subtype === "unknown") ignored("of an unknown subtype");
    // RFC 7313 section 4: not before End-of-RIB, whose own leftovers it would take away.
    const told = !this.#reception?.negotiated.gracefulRestart || this.#ended.has(family);
    if (subtype === "begin" && told) this.#helper.onRefreshBegin(family);
    if (subtype === "begin" && !told) ignored("begun before End-of-RIB");
    if (subtype === "end") this.#helper.onRefreshEnd(family);
  }

  /** A table for several paths stays one: it holds single ones as well. */
  #takeSeveralPaths(): void {
    if (!this.#config.addPath?.receive) return;
    for (const [family, table] of this.#tables) {
      if (!(table instanceof AdjRibIn)) continue;
      this.#tables.set(family, new AdjRibInPaths(this.#import, table));
    }
  }

  readonly #import: PathSink = (number, path, pathId) => {
    const { host, id } = this.#options;
    const accepted = path && this.#accepted(number, path);
    if (accepted) host.onPath(number, accepted);
    else host.onNoPath(number, id, pathId);
    const unusable = path !== undefined && cameBack(path);
    const refused = path !== undefined && accepted === undefined;
    this.#refused.note(number, pathId, unusable ? "unusable" : refused ? "policy" : undefined);
  };

  #accepted(number: PrefixNumber, path: Path): Path | undefined {
    if (path.refusal !== undefined) return undefined;
    const { peerType } = path.source;
    const key = prefixIndex.keyOf(number);
    return this.#importPolicy(peerType).apply(key, peerType, path, this.#variants.apply);
  }

  /** As it is kept for longer, unless the peer or the import policy says that it is not to be. */
  #kept(number: PrefixNumber, path: Path): Path | undefined {
    const { communities = [] } = (this.#accepted(number, path) ?? path).attributes;
    if (communities.includes(wellKnownCommunity.noLongLived)) return undefined;
    return longLivedStale(path, this.#variants);
  }

  /** What the peer is does not change: whoever is another kind of peer is another peer. */
  #importPolicy(peerType: Source["peerType"]): Policy {
    this.#policy ??= compilePolicy(this.#config.importPolicy, peerType);
    return this.#policy;
  }

  #announce({ attributes, keys, ids }: Reach, reception: Reception, paths: PathCache): void {
    if (keys.length === 0) return;
    const { maximumPrefixes = Number.POSITIVE_INFINITY } = this.#config;
    const family = familyOfKey(keys[0]!);
    const table = this.#carried(family, reception);
    if (table === undefined) return;
    // They are not counted against the limit, and are not to take memory beyond it.
    const full = () => this.#refused.unusable(family) >= maximumPrefixes;
    const plain = paths.get(attributes, 0);
    for (let at = 0; at < keys.length; at++) {
      const path = ids === undefined ? plain : paths.get(attributes, ids[at]!);
      const number = prefixIndex.add(keys[at]!);
      if (cameBack(path) && full()) table.withdraw(number, path.pathId);
      else if (!table.announce(number, path)) this.#onLeftOut(number);
    }
  }

  /** Once in a session: the peer decides how many there are. */
  #onLeftOut(number: PrefixNumber): void {
    if (this.#leftOut) return;
    this.#leftOut = true;
    const prefix = formatPrefix(prefixOfKey(prefixIndex.keyOf(number)));
    this.#log.warn({ prefix, maximum: MAXIMUM_PATHS }, "more paths to a prefix than are kept");
  }

  #checkMaximum(): void {
    const { maximumPrefixes = Number.POSITIVE_INFINITY } = this.#config;
    for (const [family, table] of this.#tables) {
      // What is left over of another session it does not announce (yet, or any more).
      const announced = table.size - table.leftovers;
      if (announced - this.#refused.unusable(family) <= maximumPrefixes) continue;
      const { afi, safi } = afiSafiOf(family);
      // RFC 4486 section 4.
      const data = concatBytes([uint16(afi), Uint8Array.of(safi), uint32(maximumPrefixes)]);
      const reason = `more than ${maximumPrefixes} prefixes of ${family}`;
      this.#options.fail(new ProtocolError("maximumPrefixes", reason, data));
      return;
    }
  }

  /** `undefined`: a family that was not agreed on. */
  #carried(family: AddressFamily, { negotiated }: Reception): AdjRibInTable | undefined {
    return negotiated.families.includes(family) ? this.#tables.get(family) : undefined;
  }

  #onEndOfRib(family: AddressFamily): void {
    this.#log.debug({ family }, "End-of-RIB received");
    this.#ended.add(family);
    this.#helper.onEndOfRib(family);
    this.#options.host.onStatus();
  }
}

/** It was ours before. */
function cameBack({ refusal }: Path): boolean {
  return refusal !== undefined && refusal !== "role-leak";
}

export function identityOf({ localAs: as, routerId, clusterId }: SessionParameters): Identity {
  return { as, routerId, clusterId };
}

function maximumStaleSeconds({ longLivedRestart }: PeerConfig, family: AddressFamily): number {
  if (longLivedRestart === undefined || !keepsLonger(longLivedRestart, family)) return 0;
  return longLivedRestart.maximumStaleTimeSeconds ?? Number.POSITIVE_INFINITY;
}
