/**
 * One configured peer: its session, its Adj-RIBs and its graceful restart (RFC 4724, both roles). What
 * it learns goes to the speaker through {@link PeerHost}; what it sends it asks the speaker for.
 */

import { type Clock, formatPrefix, type IpAddress } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import { PeerSender } from "./peer-sender.ts";
import { compilePolicy, type Policy } from "./policy/index.ts";
import { RestartHelper } from "./restart-helper.ts";
import type { Origination } from "./rib/index.ts";
import {
  AdjRibIn,
  type Identity,
  makePath,
  type Path,
  PathVariants,
  type Source,
} from "./rib/index.ts";
import {
  type Connection,
  type Down,
  type Negotiated,
  PeerSession,
  type SessionParameters,
  type Transport,
} from "./session/index.ts";
import type { Slices } from "./slices.ts";
import type { AddressFamily, PeerConfig, PeerStatus } from "./types.ts";
import {
  type AttributeTable,
  afiSafiOf,
  concatBytes,
  encodeRouteRefresh,
  familyFrom,
  familyOfKey,
  type Notification,
  notification,
  type PathAttributes,
  type PrefixKey,
  ProtocolError,
  prefixOfKey,
  type RouteRefresh,
  type Update,
  uint16,
  uint32,
} from "./wire/index.ts";

export interface PeerHost {
  readonly clock: Clock;
  readonly log: Log;
  readonly transport: Transport;
  readonly table: AttributeTable;
  readonly slices: Slices;
  /** This peer's path after import policy, or that it has none. */
  onPath(peerId: number, key: PrefixKey, path: Path | undefined): void;
  onStatus(): void;
  /** What is to be told about a prefix: our own route, else the best one. */
  route(key: PrefixKey): Origination | Path | undefined;
  allKeys(): Iterable<PrefixKey>;
  /** End-of-RIB is to be held back. */
  deferring(): boolean;
}

/** A peer without graceful restart sends no End-of-RIB: this long a silence stands for it. */
const SILENCE_MS = 2000;
const REPORT_EVERY_MS = 10_000;

export class Peer {
  #parameters: SessionParameters;
  readonly #id: number;
  #config: PeerConfig;
  #identity: Identity;
  readonly #host: PeerHost;
  #log: Log;
  #session: PeerSession;
  readonly #tables = new Map<AddressFamily, AdjRibIn>();
  readonly #helper: RestartHelper;
  readonly #variants = new PathVariants();
  readonly #configuredAtMs: number;
  #importPolicy: Policy;
  #source: Source | undefined;
  #paths = new Map<PathAttributes, Path>();
  #sender: PeerSender | undefined;
  readonly #ended = new Set<AddressFamily>();
  #lastUpdateMs = 0;
  #renewing = false;
  #everEstablished = false;
  #sinceMs: number;
  #shownState: PeerStatus["state"] = "Idle";
  /** Malformed UPDATEs since the last one told to the log. */
  #malformed = 0;
  #reportedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: {
    /** Unique among all peers this speaker ever had. */
    readonly id: number;
    readonly config: PeerConfig;
    readonly parameters: SessionParameters;
    readonly host: PeerHost;
  }) {
    const { config, parameters, host } = options;
    this.#id = options.id;
    this.#config = config;
    this.#parameters = parameters;
    this.#host = host;
    this.#log = host.log.child({ peer: config.name });
    this.#identity = identityOf(parameters);
    this.#importPolicy = compilePolicy(config.importPolicy);
    this.#configuredAtMs = host.clock.monotonicMs();
    this.#sinceMs = host.clock.now();
    for (const family of parameters.families) {
      this.#tables.set(family, new AdjRibIn((key, path) => this.#import(key, path)));
    }
    this.#helper = new RestartHelper({
      clock: host.clock,
      slices: host.slices,
      tables: this.#tables,
      onChange: () => host.onStatus(),
    });
    this.#session = this.#makeSession();
  }

  #makeSession(): PeerSession {
    const { clock, transport, table } = this.#host;
    return new PeerSession({
      clock,
      transport,
      table,
      parameters: this.#parameters,
      password: this.#config.password,
      restarted: () => !this.#everEstablished,
      handlers: {
        onEstablished: (negotiated, localAddress) => this.#onEstablished(negotiated, localAddress),
        onDown: (down) => this.#onDown(down),
        onUpdate: (update) => this.#onUpdate(update),
        onRouteRefresh: (message) => this.#onRouteRefresh(message),
        onDrain: () => this.#sender?.pump(),
        onStatus: () => this.#onStatus(),
      },
    });
  }

  get parameters(): SessionParameters {
    return this.#parameters;
  }

  get config(): PeerConfig {
    return this.#config;
  }

  start(): void {
    this.#session.start();
  }

  stop(message?: Notification): void {
    this.#session.stop(message);
    this.#helper.stop();
  }

  /** The peer is no longer configured: nothing of it stays. */
  remove(message: Notification): void {
    this.stop(message);
    this.#helper.dropAll();
  }

  accept(connection: Connection): void {
    this.#session.accept(connection);
  }

  /**
   * Goes on with a new session of other parameters: a restart of the session only, for which both ends
   * keep each other's routes as far as graceful restart was agreed on. A peer that does not keep them
   * after a NOTIFICATION (RFC 8538) is not sent one.
   */
  renew(config: PeerConfig, parameters: SessionParameters): void {
    const restart = this.#session.negotiated?.gracefulRestart;
    const silent = restart !== undefined && !restart.notification;
    this.#renewing = true;
    this.#session.stop(silent ? undefined : notification("otherConfigurationChange"));
    this.#renewing = false;
    this.#parameters = parameters;
    this.#identity = identityOf(parameters);
    this.reconfigure(config);
    this.#session = this.#makeSession();
    this.#session.start();
  }

  /** Takes what may change under a running session: policies, the password. */
  reconfigure(config: PeerConfig): void {
    if (config.password !== this.#config.password) this.#session.setPassword(config.password);
    this.#config = config;
    this.#log = this.#host.log.child({ peer: config.name });
    if (this.#source) this.#source.peer = config.name;
    this.#importPolicy = compilePolicy(config.importPolicy);
    for (const table of this.#tables.values()) {
      const replay = table.replay();
      this.#host.slices.add(() => !replay.next().done);
    }
    this.#sender?.setInterval(config.advertisementIntervalSeconds ?? 0);
    const negotiated = this.#session.negotiated;
    if (negotiated) this.#sender?.retarget(this.#target(negotiated));
  }

  /** The route to this prefix may have changed. */
  touch(key: PrefixKey): void {
    this.#sender?.touch(key);
  }

  /** Asks for everything again (RFC 2918). */
  refresh(): void {
    const negotiated = this.#session.negotiated;
    if (!negotiated?.routeRefresh) {
      this.#log.warn("route refresh asked for, but the session does not offer it");
      return;
    }
    for (const family of negotiated.families) {
      const message = { ...afiSafiOf(family), subtype: "request" as const };
      this.#session.send(encodeRouteRefresh(message));
    }
  }

  status(): PeerStatus {
    const negotiated = this.#session.negotiated;
    let routesReceived = 0;
    for (const table of this.#tables.values()) routesReceived += table.size;
    return {
      name: this.#config.name,
      address: this.#config.address,
      remoteAs: this.#config.remoteAs,
      state: this.#session.state,
      sinceMs: this.#sinceMs,
      lastError: this.#session.lastError,
      routesReceived,
      routesSent: this.#sender?.routesSent ?? 0,
      endOfRib: negotiated?.families.every((family) => this.#ended.has(family)) ?? false,
      gracefulRestart: this.#helper.waiting,
      holdTimeSeconds: negotiated?.holdTimeSeconds ?? 0,
    };
  }

  /** See `Speaker.converged`. */
  converged(): boolean {
    const nowMs = this.#host.clock.monotonicMs();
    const negotiated = this.#session.negotiated;
    if (this.#session.state !== "Established" || negotiated === undefined) {
      if (this.#helper.waiting) return false;
      if (this.#everEstablished) return true;
      return nowMs - this.#configuredAtMs >= this.#parameters.restartTimeSeconds * 1000;
    }
    if (negotiated.gracefulRestart === undefined) return nowMs - this.#lastUpdateMs >= SILENCE_MS;
    return negotiated.families.every((family) => this.#ended.has(family));
  }

  /** Nothing holds back our End-of-RIB on this peer's account (RFC 4724 section 4.1). */
  toldAll(): boolean {
    const negotiated = this.#session.negotiated;
    if (negotiated === undefined) return false;
    const { gracefulRestart, families } = negotiated;
    // Two that restart together must not wait for each other.
    if (gracefulRestart === undefined || gracefulRestart.restarted) return true;
    return families.every((family) => this.#ended.has(family));
  }

  /** The time of holding back is over. */
  endDeferral(): void {
    this.#sender?.resume();
  }

  #import(key: PrefixKey, path: Path | undefined): void {
    this.#host.onPath(this.#id, key, path && this.#accepted(key, path));
  }

  #accepted(key: PrefixKey, path: Path): Path | undefined {
    if (!path.feasible) return undefined;
    const rule = this.#importPolicy(key, path.source.peerType);
    if (rule === undefined) return path;
    return rule.action === "reject" ? undefined : this.#variants.apply(path, rule);
  }

  #onStatus(): void {
    const { state } = this.#session;
    if (state !== this.#shownState) {
      this.#shownState = state;
      this.#sinceMs = this.#host.clock.now();
      this.#log.debug({ state }, "session state");
    }
    this.#host.onStatus();
  }

  #onEstablished(negotiated: Negotiated, localAddress: IpAddress | undefined): void {
    this.#log.info(
      { holdTimeSeconds: negotiated.holdTimeSeconds, families: negotiated.families },
      "session established",
    );
    this.#everEstablished = true;
    this.#lastUpdateMs = this.#host.clock.monotonicMs();
    this.#ended.clear();
    this.#paths = new Map();
    this.#source = {
      peerId: this.#id,
      peer: this.#config.name,
      peerType: negotiated.peerType,
      remoteAs: this.#parameters.remoteAs,
      role: this.#parameters.role,
      peerAddress: this.#config.address,
      peerRouterId: negotiated.peerRouterId,
      localAddress,
      routeReflectorClient: this.#config.routeReflectorClient ?? false,
      stale: false,
    };
    this.#helper.onEstablished(negotiated);
    this.#sender = new PeerSender({
      host: this.#host,
      session: this.#session,
      negotiated,
      target: this.#target(negotiated),
      intervalSeconds: this.#config.advertisementIntervalSeconds ?? 0,
    });
    this.#sender.sendAll();
  }

  #target(negotiated: Negotiated): ConstructorParameters<typeof PeerSender>[0]["target"] {
    const { nextHop = "auto", exportPolicy } = this.#config;
    const source = this.#source!;
    return {
      peerType: source.peerType,
      peerAddress: source.peerAddress,
      peerRouterId: source.peerRouterId,
      localAddress: source.localAddress,
      routeReflectorClient: source.routeReflectorClient,
      nextHop,
      fourOctetAs: negotiated.fourOctetAs,
      extendedNextHop: negotiated.extendedNextHop,
      role: source.role,
      identity: this.#identity,
      policy: compilePolicy(exportPolicy),
    };
  }

  #onDown({ cause, reason, restartable }: Down): void {
    this.#log.warn({ cause, reason }, "session ended");
    this.#sender?.close();
    this.#sender = undefined;
    if (this.#source) this.#source.stale = true;
    this.#source = undefined;
    this.#ended.clear();
    this.#helper.onDown(restartable || this.#renewing);
  }

  #onUpdate(update: Update): void {
    const source = this.#source;
    if (source === undefined) return;
    this.#lastUpdateMs = this.#host.clock.monotonicMs();
    this.#report(update);
    for (const key of update.withdrawn) this.#carried(key)?.withdraw(key);
    for (const { attributes, keys } of update.reach) {
      const path = this.#path(attributes, source);
      for (const key of keys) this.#carried(key)?.announce(key, path);
    }
    if (update.endOfRib) this.#onEndOfRib(update.endOfRib);
    this.#checkMaximum();
  }

  #checkMaximum(): void {
    const { maximumPrefixes = Number.POSITIVE_INFINITY } = this.#config;
    for (const [family, table] of this.#tables) {
      if (table.size <= maximumPrefixes) continue;
      const { afi, safi } = afiSafiOf(family);
      // RFC 4486 section 4.
      const data = concatBytes([uint16(afi), Uint8Array.of(safi), uint32(maximumPrefixes)]);
      const reason = `more than ${maximumPrefixes} prefixes of ${family}`;
      this.#session.fail(new ProtocolError("maximumPrefixes", reason, data));
      return;
    }
  }

  /** `undefined`: a family that was not agreed on. */
  #carried(key: PrefixKey): AdjRibIn | undefined {
    const family = familyOfKey(key);
    const agreed = this.#session.negotiated?.families.includes(family);
    return agreed ? this.#tables.get(family) : undefined;
  }

  /** One in a while: a peer decides how many there are, and is not to decide how long the log gets. */
  #report({ treatedAsWithdraw, discarded, withdrawn }: Update): void {
    if (treatedAsWithdraw === undefined && discarded.length === 0) return;
    this.#malformed++;
    const nowMs = this.#host.clock.monotonicMs();
    if (nowMs - this.#reportedAtMs < REPORT_EVERY_MS) return;
    this.#reportedAtMs = nowMs;
    const messages = this.#malformed;
    this.#malformed = 0;
    if (treatedAsWithdraw === undefined) {
      this.#log.warn({ discarded, messages }, "malformed attributes left out");
      return;
    }
    const prefixes = withdrawn.slice(0, 10).map((key) => formatPrefix(prefixOfKey(key)));
    this.#log.warn(
      { reason: treatedAsWithdraw, prefixes, messages },
      "malformed UPDATE treated as a withdrawal (RFC 7606)",
    );
  }

  #path(attributes: PathAttributes, source: Source): Path {
    let path = this.#paths.get(attributes);
    if (path === undefined) {
      if (this.#paths.size >= 65_536) this.#paths.clear();
      const { allowedLocalAs } = this.#parameters;
      path = makePath({ source, attributes, identity: this.#identity, allowedLocalAs });
      this.#paths.set(attributes, path);
    }
    return path;
  }

  #onEndOfRib(family: AddressFamily): void {
    this.#log.debug({ family }, "End-of-RIB received");
    this.#ended.add(family);
    this.#helper.onEndOfRib(family);
    this.#host.onStatus();
  }

  #onRouteRefresh(message: RouteRefresh): void {
    const family = familyFrom(message);
    const negotiated = this.#session.negotiated;
    if (family === undefined || !negotiated?.families.includes(family)) return;
    // RFC 2918 section 3: without RFC 7313 the octet is reserved, and means nothing.
    const subtype = negotiated.enhancedRouteRefresh ? message.subtype : "request";
    if (subtype === "request") this.#sender?.resend(family);
    // RFC 7313 section 4: not before End-of-RIB, whose own leftovers it would take away.
    const told = negotiated.gracefulRestart === undefined || this.#ended.has(family);
    if (subtype === "begin" && told) this.#helper.onRefreshBegin(family);
    if (subtype === "end") this.#helper.onEndOfRib(family);
  }
}

function identityOf({ localAs: as, routerId, clusterId }: SessionParameters): Identity {
  return { as, routerId, clusterId };
}
