/**
 * One configured peer: its session, and the two sides that outlive it or end with it. What it learns
 * goes to the speaker through {@link PeerHost}; what it sends it asks the speaker for.
 */

import { errorText, type IpAddress } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import type { BfdDown } from "./bfd/index.ts";
import { changedFields } from "./config.ts";
import { PathWatch } from "./path-watch.ts";
import { peerDetails } from "./peer-details.ts";
import type { PeerHost } from "./peer-host.ts";
import { identityOf, PeerReceiver } from "./peer-receiver.ts";
import { PeerSender } from "./peer-sender.ts";
import { isLinkLocal } from "./place.ts";
import { compilePolicy } from "./policy/index.ts";
import type { ExportTarget, Origination, Path, PrefixNumber, Source } from "./rib/index.ts";
import {
  type Connection,
  Deadline,
  type Down,
  type Negotiated,
  PeerSession,
  type SessionParameters,
  SessionRecord,
} from "./session/index.ts";
import { SparingLog } from "./sparing-log.ts";
import type { KeptMessage, PeerConfig, PeerDetails, PeerStatus, SessionEnd } from "./types.ts";
import {
  afiSafiOf,
  encodeRouteRefresh,
  familyFrom,
  type Notification,
  notification,
  ProtocolError,
  type RouteRefresh,
} from "./wire/index.ts";

/** A peer without graceful restart sends no End-of-RIB: this long a silence stands for it. */
const SILENCE_MS = 2000;
/** How long one whose routes have no room is not spoken with. */
const SILENT_MS = 60_000;

/** A peer chooses words: it is not to fill a log with them. */
const LOGGED_FAILURES = 8;

export class Peer {
  #parameters: SessionParameters;
  readonly #id: number;
  #config: PeerConfig;
  readonly #host: PeerHost;
  #log: Log;
  readonly #sparing: SparingLog;
  readonly #record: SessionRecord;
  #lastEnd: SessionEnd | undefined;
  /** Reasons of attempts that the log has since the last session. */
  readonly #loggedFailures = new Set<string>();
  #session: PeerSession;
  readonly #receiver: PeerReceiver;
  readonly #configuredAtMs: number;
  #source: Source | undefined;
  #sender: PeerSender | undefined;
  readonly #pathWatch: PathWatch;
  /** Runs while it is not spoken with. */
  readonly #silence: Deadline;
  #renewing = false;
  #everEstablished = false;
  #sinceMs: number;
  #shownState: PeerStatus["state"] = "Idle";

  constructor(options: {
    /** Unique among all peers this speaker ever had. */
    readonly id: number;
    readonly config: PeerConfig;
    readonly parameters: SessionParameters;
    readonly host: PeerHost;
  }) {
    const { id, config, parameters, host } = options;
    this.#id = id;
    this.#config = config;
    this.#parameters = parameters;
    this.#host = host;
    this.#log = host.log.child({ peer: config.name });
    this.#sparing = new SparingLog(host.clock);
    this.#configuredAtMs = host.clock.monotonicMs();
    this.#sinceMs = host.clock.now();
    this.#receiver = new PeerReceiver({
      id,
      config,
      families: parameters.families,
      host,
      log: this.#log,
      fail: (error) => this.#session.fail(error),
    });
    this.#record = new SessionRecord(host.clock, host.ringBytes());
    this.#pathWatch = new PathWatch({
      ...{ bfd: host.bfd, log: this.#log },
      onDown: (down) => this.#onPathDown(down),
      onStatus: host.onStatus,
    });
    this.#pathWatch.configure(config.bfd);
    this.#session = this.#makeSession();
    this.#silence = new Deadline(host.clock, () => this.#session.start());
  }

  #makeSession(): PeerSession {
    const { clock, transport, table } = this.#host;
    return new PeerSession({
      clock,
      transport,
      table,
      parameters: this.#parameters,
      password: this.#config.password,
      record: this.#record,
      restarted: () => !this.#everEstablished || this.#host.deferring(),
      handlers: {
        onEstablished: (negotiated, localAddress) => this.#onEstablished(negotiated, localAddress),
        onDown: (down) => this.#onDown(down),
        onUpdate: (update) => this.#receiver.onUpdate(update),
        onRouteRefresh: (message) => this.#onRouteRefresh(message),
        onDrain: () => this.#sender?.pump(),
        congested: () => this.#host.congested(),
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

  get receiver(): PeerReceiver {
    return this.#receiver;
  }

  /** Of the session that is Established, if one is. */
  get sender(): PeerSender | undefined {
    return this.#sender;
  }

  start(): void {
    this.#session.start();
  }

  /** `why` in words. */
  stop(message: Notification | undefined, why: string): void {
    this.#session.stop(message, why);
    this.#silence.stop();
    this.#receiver.stop();
    this.#pathWatch.stop();
  }

  /** The peer is no longer configured: nothing of it stays. */
  remove(quietly = false): void {
    this.stop(quietly ? undefined : notification("peerDeconfigured"), "no longer configured");
    this.#receiver.dropAll();
  }

  accept(connection: Connection): void {
    if (this.#silence.running) {
      connection.destroy();
      return;
    }
    try {
      this.#session.accept(connection);
    } catch (error) {
      this.#sparing.warn(this.#log, { error: errorText(error) }, "connection refused");
      connection.destroy();
    }
  }

  heldBytes(): number {
    return this.#receiver.heldBytes();
  }

  /** There is no room for its routes: they go, and it is not spoken with for a while. */
  giveWay(reason: string): void {
    this.#session.fail(new ProtocolError("outOfResources", reason));
    this.#session.stop(undefined, reason);
    this.#receiver.giveUpWaiting();
    this.#silence.start(SILENT_MS);
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
    const fields = changedFields(this.#parameters, parameters);
    // The one other field that needs a new session.
    const named = fields.length > 0 ? fields.join(", ") : "routeReflectorClient";
    const why = `configuration changed (${named})`;
    this.#session.stop(silent ? undefined : notification("otherConfigurationChange"), why);
    this.#renewing = false;
    this.#silence.stop();
    this.#parameters = parameters;
    this.reconfigure(config);
    this.#session = this.#makeSession();
    this.#session.start();
  }

  /** Takes what may change under a running session: policies, the password. */
  reconfigure(config: PeerConfig): void {
    if (config.password !== this.#config.password) this.#session.setPassword(config.password);
    this.#config = config;
    this.#log = this.#host.log.child({ peer: config.name });
    this.#receiver.reconfigure(config, this.#log);
    this.#pathWatch.configure(config.bfd);
    this.#sender?.setInterval(config.advertisementIntervalSeconds ?? 0);
    const negotiated = this.#session.negotiated;
    if (negotiated) this.#sender?.retarget(this.#target(negotiated));
  }

  /** The route to this prefix may have changed. */
  touch(number: PrefixNumber, route: Origination | Path | undefined): void {
    this.#sender?.touch(number, route);
  }

  /** A path to this prefix that is not the best may have changed. */
  touchOther(number: PrefixNumber): void {
    if (!this.#session.negotiated?.addPathSend.length) return;
    this.#sender?.touch(number, this.#host.route(number));
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
    const bfd = this.#pathWatch.status();
    return {
      name: this.#config.name,
      address: this.#config.address,
      remoteAs: this.#config.remoteAs,
      state: this.#session.state,
      sinceMs: this.#sinceMs,
      lastError: this.#session.lastError,
      routesReceived: this.#receiver.routesReceived,
      routesSent: this.#sender?.routesSent ?? 0,
      endOfRib: negotiated !== undefined && this.#receiver.ended(negotiated.families),
      gracefulRestart: this.#receiver.waiting,
      ...(this.#receiver.longLived ? { longLivedRestart: true as const } : {}),
      holdTimeSeconds: negotiated?.holdTimeSeconds ?? 0,
      ...(bfd ? { bfd } : {}),
    };
  }

  details(): PeerDetails {
    return peerDetails({
      status: this.status(),
      parameters: this.#parameters,
      record: this.#record,
      negotiated: this.#session.negotiated,
      localAddress: this.#source?.localAddress,
      routesAccepted: this.#receiver.routesAccepted,
      routesWaiting: this.#sender?.routesWaiting ?? 0,
      malformed: this.#receiver.malformed,
    });
  }

  /** The last messages that came and went, as they were on the wire. */
  messages(): KeptMessage[] {
    return this.#record.messages();
  }

  setRingBytes(bytes: number): void {
    this.#record.setRingBytes(bytes);
  }

  /** See `Speaker.converged`. */
  converged(): boolean {
    const nowMs = this.#host.clock.monotonicMs();
    const negotiated = this.#session.negotiated;
    if (this.#session.state !== "Established" || negotiated === undefined) {
      if (this.#receiver.waiting) return false;
      if (this.#everEstablished) return true;
      return nowMs - this.#configuredAtMs >= this.#parameters.restartTimeSeconds * 1000;
    }
    if (negotiated.gracefulRestart === undefined) {
      return nowMs - this.#receiver.lastUpdateMs >= SILENCE_MS;
    }
    return this.#receiver.ended(negotiated.families);
  }

  /** Nothing holds back our End-of-RIB on this peer's account (RFC 4724 section 4.1). */
  toldAll(): boolean {
    const negotiated = this.#session.negotiated;
    if (negotiated === undefined) return false;
    const { gracefulRestart, families } = negotiated;
    // Two that restart together must not wait for each other.
    if (gracefulRestart === undefined || gracefulRestart.restarted) return true;
    return this.#receiver.ended(families);
  }

  /** The time of holding back is over. */
  endDeferral(): void {
    this.#sender?.resume();
  }

  #onStatus(): void {
    const { state } = this.#session;
    if (state !== this.#shownState) {
      this.#shownState = state;
      this.#sinceMs = this.#host.clock.now();
      this.#log.debug({ state }, "session state");
    }
    this.#logAttempt();
    this.#host.onStatus();
  }

  /** Each way to fail once until there is a session: a peer may be away for long. */
  #logAttempt(): void {
    const [end] = this.#record.ends;
    if (end === undefined || end === this.#lastEnd) return;
    this.#lastEnd = end;
    if (end.establishedMs !== undefined) return;
    const { reason } = end;
    if (this.#loggedFailures.has(reason) || this.#loggedFailures.size === LOGGED_FAILURES) return;
    this.#loggedFailures.add(reason);
    this.#log.warn({ reason }, "no session");
  }

  #onEstablished(negotiated: Negotiated, localAddress: IpAddress | undefined): void {
    this.#sparing.info(
      this.#log,
      { holdTimeSeconds: negotiated.holdTimeSeconds, families: negotiated.families },
      "session established",
    );
    this.#everEstablished = true;
    this.#loggedFailures.clear();
    const source: Source = {
      peerId: this.#id,
      peer: this.#config.name,
      peerType: negotiated.peerType,
      remoteAs: this.#parameters.remoteAs,
      role: this.#parameters.role,
      peerAddress: this.#config.address,
      peerDevice: isLinkLocal(this.#config.address) ? this.#config.device : undefined,
      peerRouterId: negotiated.peerRouterId,
      localAddress,
      routeReflectorClient: this.#config.routeReflectorClient ?? false,
      stale: false,
    };
    this.#source = source;
    this.#receiver.onEstablished({ source, negotiated, parameters: this.#parameters });
    this.#sender = new PeerSender({
      host: this.#host,
      session: this.#session,
      negotiated,
      target: this.#target(negotiated),
      intervalSeconds: this.#config.advertisementIntervalSeconds ?? 0,
    });
    this.#sender.sendAll();
    const { address, device } = this.#parameters;
    if (localAddress !== undefined) this.#pathWatch.begin({ address, localAddress, device });
  }

  /**
   * A session that stands is over, and its routes with it: to whom they lead cannot be reached. One that is
   * away already may be restarting with its forwarding intact, unless its BFD says that it is not part of
   * what restarts (RFC 5882 section 4.3).
   */
  #onPathDown({ reason, atMs, controlPlaneIndependent }: BfdDown): void {
    // A session that has begun since then is no news of the path's end.
    if (this.#sinceMs <= atMs) this.#session.fail(new ProtocolError("bfdDown", reason));
    if (controlPlaneIndependent) this.#receiver.giveUpWaiting();
  }

  #target(negotiated: Negotiated): ExportTarget {
    const { nextHop = "auto", exportPolicy, addPath } = this.#config;
    const { send = "all" } = addPath ?? {};
    const source = this.#source!;
    return {
      peerType: source.peerType,
      peerAddress: source.peerAddress,
      peerDevice: source.peerDevice,
      peerRouterId: source.peerRouterId,
      localAddress: source.localAddress,
      routeReflectorClient: source.routeReflectorClient,
      nextHop,
      fourOctetAs: negotiated.fourOctetAs,
      extendedNextHop: negotiated.extendedNextHop,
      role: source.role,
      identity: identityOf(this.#parameters),
      policy: compilePolicy(exportPolicy, source.peerType),
      longLivedStale: staleRoutes(negotiated, this.#config),
      maximumPaths: send === "all" ? Number.POSITIVE_INFINITY : send,
    };
  }

  #onDown({ cause, reason, restartable }: Down): void {
    this.#sparing.warn(this.#log, { cause, reason }, "session ended");
    this.#sender?.close();
    this.#sender = undefined;
    this.#source = undefined;
    this.#receiver.onDown(restartable || this.#renewing);
  }

  #onRouteRefresh(message: RouteRefresh): void {
    const family = familyFrom(message);
    const negotiated = this.#session.negotiated;
    if (family === undefined || !negotiated?.families.includes(family)) return;
    // RFC 2918 section 3: without RFC 7313 the octet is reserved, and means nothing.
    const subtype = negotiated.enhancedRouteRefresh ? message.subtype : "request";
    if (subtype === "request") this.#sender?.resend(family);
    else this.#receiver.onRefreshMark(family, subtype);
  }
}

function staleRoutes(
  negotiated: Negotiated,
  { longLivedRestart }: PeerConfig,
): ExportTarget["longLivedStale"] {
  if (negotiated.longLivedRestart !== undefined) return "tell";
  return longLivedRestart?.tellUnaware ? "last-resort" : "hide";
}
