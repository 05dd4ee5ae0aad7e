/**
 * The session with one peer: up to one connection that this side dials and those the peer dials, until
 * one of them is Established. Decides when to dial, which connection survives, and when to try again.
 */

import { Backoff, type Clock, errorText, type IpAddress } from "../../lib/index.ts";
import type { SessionState } from "../types.ts";
import {
  type AttributeTable,
  type Notification,
  notification,
  notificationName,
  type Open,
  ProtocolError,
  type RouteRefresh,
  type Update,
} from "../wire/index.ts";
import { resolveCollision } from "./collision.ts";
import { Deadline } from "./deadline.ts";
import type { Down, DownCause } from "./fsm.ts";
import { Lane, type LaneHandlers } from "./lane.ts";
import { type Negotiated, negotiate } from "./negotiate.ts";
import { canDoWithoutCapabilities, localOpen, type SessionParameters } from "./parameters.ts";
import type { SessionRecord } from "./record.ts";
import type { Connection, ConnectionOptions, Transport } from "./transport.ts";

export interface SessionHandlers {
  onEstablished(negotiated: Negotiated, localAddress: IpAddress | undefined): void;
  /** The Established session ended. */
  onDown(down: Down): void;
  onUpdate(update: Update): void;
  onRouteRefresh(message: RouteRefresh): void;
  /** More may be sent. */
  onDrain(): void;
  /** As {@link LaneHandlers}. */
  congested(): boolean;
  /** `state` or `lastError` may have changed. */
  onStatus(): void;
}

export interface PeerSessionOptions {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly table: AttributeTable;
  readonly parameters: SessionParameters;
  /** RFC 2385. */
  readonly password?: string | undefined;
  readonly handlers: SessionHandlers;
  readonly record: SessionRecord;
  /** Whether the next OPEN says that this speaker has restarted (RFC 4724 section 3). */
  restarted(): boolean;
}

/** A connection accepted so soon after Established was being set up at the same time (see collision.ts). */
const CONCURRENT_MS = 1000;
const FIRST_RETRY_MS = 500;
/** A session that lasted so long pays nothing for errors before it. */
const STABLE_MS = 60_000;
const ERROR_WAIT = { initialMs: 1000, maximumMs: 30_000 };
const stateOrder: readonly SessionState[] = [
  "Idle",
  "Active",
  "Connect",
  "OpenSent",
  "OpenConfirm",
  "Established",
];

export class PeerSession {
  lastError = "";
  readonly #options: PeerSessionOptions;
  readonly #outgoing: Lane | undefined;
  readonly #incoming = new Set<Lane>();
  #established: Lane | undefined;
  #establishedAtMs = 0;
  readonly #retry: Backoff;
  readonly #errorWait = new Backoff(ERROR_WAIT);
  readonly #restart: Deadline;
  #stopped = true;
  #password: string | undefined;
  /** The peer has refused the last OPEN for its capabilities: the next one has none (RFC 5492 section 3). */
  #withoutCapabilities = false;

  constructor(options: PeerSessionOptions) {
    this.#options = options;
    this.#password = options.password;
    const { clock, parameters } = options;
    this.#retry = new Backoff({
      initialMs: Math.min(FIRST_RETRY_MS, parameters.connectRetrySeconds * 1000),
      maximumMs: parameters.connectRetrySeconds * 1000,
    });
    this.#restart = new Deadline(clock, () => this.#dial());
    this.#outgoing = parameters.passive ? undefined : this.#lane("outgoing");
  }

  get state(): SessionState {
    const lanes = this.#lanes();
    if (this.#stopped) return "Idle";
    let best: SessionState = this.#outgoing === undefined ? "Active" : "Idle";
    for (const { state } of lanes) {
      if (stateOrder.indexOf(state) > stateOrder.indexOf(best)) best = state;
    }
    return best;
  }

  get negotiated(): Negotiated | undefined {
    return this.#established?.negotiated;
  }

  start(): void {
    this.#stopped = false;
    this.#dial();
    this.#options.handlers.onStatus();
  }

  /** With a NOTIFICATION the peer drops our routes; without, it sees TCP fail. `why` in words. */
  stop(message: Notification | undefined, why: string): void {
    this.#stopped = true;
    this.#restart.stop();
    for (const lane of this.#lanes()) {
      lane.dispatch({ kind: "stop", why, ...(message ? { notification: message } : {}) });
    }
  }

  /**
   * Signs with another key from now on, the running session too. A connection that does not take it is
   * closed: never is one kept with a key that is not the configured one.
   */
  setPassword(password: string | undefined): void {
    this.#password = password;
    for (const lane of this.#lanes()) {
      try {
        lane.reconfigure();
      } catch (error) {
        const failure = { by: "us", name: "socket option" } as const;
        lane.dispatch({ kind: "tcp-failed", ...failure, reason: errorText(error) });
      }
    }
  }

  /** Takes a connection the peer has dialled. @throws SwitchyardError, and takes it not */
  accept(connection: Connection): void {
    try {
      connection.configure(this.#connectionOptions());
    } catch (error) {
      const reason = errorText(error);
      if (this.#established === undefined) this.lastError = reason;
      const why = { cause: "tcp", by: "us", name: "connection refused by us", reason } as const;
      this.#options.record.onEnd({ ...why, restartable: true }, "Active", undefined);
      throw error;
    }
    // A peer that dials again has given up what it dialled before, unless it got further than that.
    for (const older of this.#incoming) {
      if (older.state === "OpenSent" || older.state === "Active") older.dispatch({ kind: "stop" });
    }
    const lane = this.#lane("incoming");
    this.#incoming.add(lane);
    if (this.#outgoing?.state === "Active" || this.#yieldsDial(connection)) {
      // It would only collide.
      this.#outgoing?.dispatch({ kind: "stop" });
    }
    lane.adopt(connection);
  }

  /** False: wait for `onDrain` before sending more. */
  send(bytes: Uint8Array): boolean {
    return this.#established?.send(bytes) ?? true;
  }

  /** Ends the Established session with the error's NOTIFICATION. */
  fail(error: ProtocolError): void {
    this.#established?.dispatch({ kind: "protocol-error", error });
  }

  #parameters(): SessionParameters {
    const { parameters } = this.#options;
    return this.#withoutCapabilities ? { ...parameters, withoutCapabilities: true } : parameters;
  }

  #connectionOptions(): ConnectionOptions {
    const { ttl, minimumTtl } = this.#options.parameters;
    return { ttl, minimumTtl, password: this.#password };
  }

  #lanes(): Lane[] {
    return this.#outgoing ? [this.#outgoing, ...this.#incoming] : [...this.#incoming];
  }

  /** Of two dials under way, exactly one is given up: that of the lower address. */
  #yieldsDial(connection: Connection): boolean {
    if (this.#outgoing?.state !== "Connect") return false;
    const local = connection.localAddress;
    return local !== undefined && local < connection.remoteAddress;
  }

  #lane(direction: "incoming" | "outgoing"): Lane {
    const { clock, transport, table, record } = this.#options;
    return new Lane({
      clock,
      transport,
      direction,
      parameters: () => this.#parameters(),
      table,
      record,
      handlers: this.#laneHandlers(),
      connectionOptions: () => this.#connectionOptions(),
    });
  }

  #laneHandlers(): LaneHandlers {
    const { handlers, restarted } = this.#options;
    return {
      onState: () => handlers.onStatus(),
      onOpen: (lane, open) => this.#survivesCollision(lane, open),
      onEstablished: (lane, negotiated) => this.#onEstablished(lane, negotiated),
      onDown: (lane, down) => this.#onDown(lane, down),
      onUpdate: (_, update) => handlers.onUpdate(update),
      onRouteRefresh: (_, message) => handlers.onRouteRefresh(message),
      congested: () => handlers.congested(),
      onDrain: (lane) => {
        if (lane === this.#established) handlers.onDrain();
      },
      connectRetryMs: () => this.#retry.next(),
      open: (parameters) => localOpen(parameters, restarted()),
    };
  }

  #dial(): void {
    if (this.#stopped || this.#established) return;
    for (const lane of this.#incoming) if (lane.state !== "Idle") return;
    this.#outgoing?.dispatch({ kind: "start", passive: false });
  }

  #scheduleRestart(delayMs: number): void {
    if (!this.#stopped && this.#outgoing) this.#restart.start(delayMs);
  }

  #survivesCollision(lane: Lane, open: Open): boolean {
    const { parameters } = lane;
    try {
      negotiate(open, parameters);
    } catch (error) {
      // The state machine says so to the peer; the other connection is not to suffer for it.
      if (error instanceof ProtocolError) return true;
      throw error;
    }
    const cease = notification("connectionCollision");
    for (const other of this.#lanes()) {
      if (other === lane) continue;
      const outcome = resolveCollision({
        local: { routerId: parameters.routerId, as: parameters.localAs },
        remote: { routerId: open.routerId, as: open.as },
        candidate: lane.direction,
        other: {
          state: other.state,
          direction: other.direction,
          gracefulRestart: other.negotiated?.gracefulRestart !== undefined,
          concurrent: lane.connectedAtMs < other.establishedAtMs + CONCURRENT_MS,
        },
      });
      if (outcome === "replace-other") other.dispatch({ kind: "replaced" });
      if (outcome === "close-other") other.dispatch({ kind: "replaced", notification: cease });
      if (outcome === "close-candidate") {
        lane.dispatch({ kind: "stop", notification: cease });
        return false;
      }
    }
    return true;
  }

  #onEstablished(lane: Lane, negotiated: Negotiated): void {
    this.#established = lane;
    this.#options.record.established++;
    this.#establishedAtMs = this.#options.clock.monotonicMs();
    this.#retry.reset();
    this.#restart.stop();
    for (const other of this.#lanes()) {
      if (other !== lane && (other.state === "Connect" || other.state === "Active")) {
        other.dispatch({ kind: "stop" });
      }
    }
    this.#options.handlers.onEstablished(negotiated, lane.localAddress);
  }

  #onDown(lane: Lane, down: Down & { readonly from: SessionState }): void {
    const { handlers, record } = this.#options;
    const { cause, from, reason } = down;
    this.#incoming.delete(lane);
    this.#chooseCapabilities(lane, down);
    const wasEstablished = lane === this.#established;
    const failed = cause !== "stopped" && !(isOfTwoConnections(down) || this.#hasBetter(lane));
    if (wasEstablished ? cause !== "stopped" : failed) this.lastError = reason;
    if (wasEstablished) {
      record.onEnd(down, from, this.#options.clock.monotonicMs() - this.#establishedAtMs);
      this.#established = undefined;
      handlers.onDown(down);
    } else if (failed) {
      record.onEnd(down, from, undefined);
    }
    if (from !== "Connect" && (cause !== "stopped" || lane !== this.#outgoing)) {
      this.#scheduleRestart(this.#restartDelayMs(cause, wasEstablished));
    }
    handlers.onStatus();
  }

  #chooseCapabilities(
    { parameters }: Lane,
    { name, by, from }: Down & { from: SessionState },
  ): void {
    const told = parameters.withoutCapabilities === undefined;
    if (by === "peer" && name === refusedName) {
      this.#withoutCapabilities = told && canDoWithoutCapabilities(parameters);
    } else if (!told && stateOrder.indexOf(from) >= stateOrder.indexOf("OpenSent")) {
      this.#withoutCapabilities = false;
    }
  }

  /** Of two connections one goes: it is no error of the session. */
  #hasBetter(lane: Lane): boolean {
    return this.#lanes().some(
      (other) =>
        other !== lane && stateOrder.indexOf(other.state) >= stateOrder.indexOf("OpenSent"),
    );
  }

  #restartDelayMs(cause: DownCause, wasEstablished: boolean): number {
    const lastedMs = this.#options.clock.monotonicMs() - this.#establishedAtMs;
    if (wasEstablished && lastedMs >= STABLE_MS) this.#errorWait.reset();
    if (cause === "notification-sent" || cause === "notification-received") {
      return this.#errorWait.next();
    }
    return wasEstablished ? 0 : this.#retry.next();
  }
}

/** One of two connections that were made at the same time: nothing has failed. */
function isOfTwoConnections({ name }: Down): boolean {
  return name === "connection replaced" || name === collisionName;
}

const refusedName = notificationName(notification("unsupportedOptionalParameter"));
const collisionName = notificationName(notification("connectionCollision"));
