/**
 * One connection with its state machine: carries out the machine's actions on a socket and a clock, and
 * turns bytes and timers into its events. Reads in slices of a few milliseconds, so that timers of other
 * sessions are never late because one peer sends much.
 */

import { type Clock, errorText, type IpAddress } from "../../lib/index.ts";
import {
  type AttributeTable,
  decodeNotification,
  decodeOpen,
  decodeRouteRefresh,
  decodeUpdate,
  encodeKeepalive,
  encodeNotification,
  encodeOpen,
  Framer,
  HEADER_BYTES,
  MAXIMUM_EXTENDED_MESSAGE_BYTES,
  messageType,
  type Open,
  ProtocolError,
  type RouteRefresh,
  type Update,
  type UpdateContext,
} from "../wire/index.ts";
import type { Direction } from "./collision.ts";
import { Deadline } from "./deadline.ts";
import {
  type Down,
  type FsmAction,
  type FsmEvent,
  type FsmState,
  type FsmTimer,
  idleState,
  step,
} from "./fsm.ts";
import type { Negotiated } from "./negotiate.ts";
import type { SessionParameters } from "./parameters.ts";
import type { SessionRecord } from "./record.ts";
import type { Connection, ConnectionHandlers, ConnectionOptions, Transport } from "./transport.ts";
import { type Attempt, noAnswer, tcpFailure } from "./words.ts";

const SLICE_MS = 5;
/** A hold timer that fires late may have been overtaken by data still in the kernel: one look more. */
const HOLD_GRACE_MS = 20;
/** RFC 4271 section 4.4: no more than one KEEPALIVE in a second. */
const SHORTEST_TIMER_MS = 1000;
/** RFC 9687 section 5: the longer of eight minutes and twice the hold time. */
const SEND_HOLD_MS = 480_000;

export interface LaneHandlers {
  onState(lane: Lane): void;
  /** False: the OPEN is not to be handled, the lane was closed. */
  onOpen(lane: Lane, open: Open): boolean;
  onEstablished(lane: Lane, negotiated: Negotiated): void;
  onDown(lane: Lane, down: Down & { readonly from: FsmState["name"] }): void;
  onUpdate(lane: Lane, update: Update): void;
  onRouteRefresh(lane: Lane, message: RouteRefresh): void;
  onDrain(lane: Lane): void;
  /** More has been taken in than was worked on: what else there is may wait a little. */
  congested(): boolean;
  connectRetryMs(): number;
  /** The OPEN to send now. */
  open(parameters: SessionParameters): Open;
}

export interface LaneOptions {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly direction: Direction;
  /** For the next connection. */
  parameters(): SessionParameters;
  readonly table: AttributeTable;
  readonly handlers: LaneHandlers;
  readonly record: SessionRecord;
  /** As they are to be now. */
  connectionOptions(): ConnectionOptions;
}

export class Lane {
  readonly direction: Direction;
  /** When TCP was connected, and when the session was Established, monotonic; 0 if it never was. */
  connectedAtMs = 0;
  establishedAtMs = 0;
  #state: FsmState = idleState;
  /** Of this connection. */
  #parameters: SessionParameters;
  #connection: Connection | undefined;
  #framer = new Framer();
  #pumpScheduled = false;
  /** Whole ones: a peer that sends byte after byte and never a message is not alive. */
  #messagesSeen = 0;
  #lastMessageMs = 0;
  #rekeyedAtMs = Number.NEGATIVE_INFINITY;
  /** The connection, as the record knows it. */
  #recorded = 0;
  /** How to read UPDATEs of the Established session. */
  #context: UpdateContext | undefined;
  readonly #options: LaneOptions;
  readonly #timers: Readonly<Record<FsmTimer, Deadline>>;
  readonly #sendHold: Deadline;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.direction = options.direction;
    this.#parameters = options.parameters();
    const deadline = (timer: FsmTimer) =>
      new Deadline(options.clock, () =>
        timer === "hold" ? this.#holdFired() : this.#timerFired(timer),
      );
    this.#timers = {
      "connect-retry": deadline("connect-retry"),
      "delay-open": deadline("delay-open"),
      hold: deadline("hold"),
      keepalive: deadline("keepalive"),
    };
    this.#sendHold = new Deadline(options.clock, () => {
      const error = new ProtocolError("sendHoldTimerExpired", "the peer takes no data");
      this.dispatch({ kind: "protocol-error", error });
    });
  }

  get state(): FsmState["name"] {
    return this.#state.name;
  }

  get negotiated(): Negotiated | undefined {
    return this.#state.negotiated;
  }

  get parameters(): SessionParameters {
    return this.#parameters;
  }

  get localAddress(): IpAddress | undefined {
    return this.#connection?.localAddress;
  }

  /** Takes an accepted connection; the lane must be Idle. */
  adopt(connection: Connection): void {
    this.dispatch({ kind: "start", passive: true });
    this.#attach(connection);
    connection.setHandlers(this.#connectionHandlers(() => connection));
    this.#connected();
  }

  /** False: wait for `onDrain` before sending more. */
  send(bytes: Uint8Array): boolean {
    if (this.#connection) this.#options.record.onSent(this.#recorded, bytes);
    const taken = this.#connection?.write(bytes) ?? true;
    const holdMs = (this.#state.negotiated?.holdTimeSeconds ?? 0) * 1000;
    if (!taken && !this.#sendHold.running && holdMs > 0) {
      this.#sendHold.start(Math.max(SEND_HOLD_MS, 2 * holdMs));
    }
    return taken;
  }

  /** The connection's options are to be others now. @throws SwitchyardError */
  reconfigure(): void {
    this.#connection?.configure(this.#options.connectionOptions());
    this.#rekeyedAtMs = this.#options.clock.monotonicMs();
  }

  dispatch(event: FsmEvent): void {
    const before = this.#state.name;
    const { state, actions } = step(this.#state, event, this.#parameters);
    this.#state = state;
    for (const action of actions) this.#perform(action);
    if (this.#state.name !== before) this.#options.handlers.onState(this);
  }

  #perform(action: FsmAction): void {
    const { clock, handlers } = this.#options;
    switch (action.kind) {
      case "dial":
        this.#dial();
        return;
      case "close":
        // A NOTIFICATION may be on its way: let it leave.
        this.#connection?.end();
        this.#connection = undefined;
        return;
      case "send-open":
        this.send(encodeOpen(handlers.open(this.#parameters)));
        return;
      case "send-keepalive":
        this.send(encodeKeepalive());
        return;
      case "send-notification":
        this.send(encodeNotification(action.notification, this.#framer.maximumBytes));
        return;
      case "start-timer":
        this.#startTimer(action);
        return;
      case "stop-timers":
        for (const timer of Object.values(this.#timers)) timer.stop();
        this.#sendHold.stop();
        return;
      case "established":
        this.establishedAtMs = clock.monotonicMs();
        this.#context = { ...action.negotiated, table: this.#options.table };
        this.#options.record.agreed(this.#recorded, action.negotiated);
        handlers.onEstablished(this, action.negotiated);
        return;
      case "down":
        handlers.onDown(this, action);
        return;
    }
  }

  #startTimer({ timer, seconds }: { timer: FsmTimer; seconds?: number }): void {
    if (seconds === undefined) {
      this.#timers[timer].start(this.#options.handlers.connectRetryMs());
      return;
    }
    // RFC 4271 section 10: keepalives are sent a little early, by chance, so that they spread.
    const share = timer === "keepalive" ? 0.75 + 0.25 * Math.random() : 1;
    this.#timers[timer].start(Math.max(SHORTEST_TIMER_MS, seconds * 1000 * share));
  }

  #timerFired(timer: FsmTimer): void {
    const unanswered = this.#state.name === "Connect" ? noAnswer(this.#attempt()) : undefined;
    this.dispatch({ kind: "timer", timer, ...(unanswered && { unanswered }) });
  }

  #attempt(): Attempt {
    const password = this.#options.connectionOptions().password !== undefined;
    return { parameters: this.#parameters, state: this.#state.name, password };
  }

  #holdFired(): void {
    const seen = this.#messagesSeen;
    const connection = this.#connection;
    this.#options.clock.schedule(HOLD_GRACE_MS, () => {
      const alive = this.#messagesSeen !== seen || this.#pumpScheduled;
      if (this.#connection !== connection) return;
      if (alive) this.#timers.hold.start((this.#state.negotiated?.holdTimeSeconds ?? 240) * 1000);
      else {
        const silentMs = this.#options.clock.monotonicMs() - this.#lastMessageMs;
        const otherKey = this.#rekeyedAtMs >= this.#lastMessageMs;
        this.dispatch({ kind: "timer", timer: "hold", silentMs, otherKey });
      }
    });
  }

  #dial(): void {
    const { transport } = this.#options;
    const parameters = this.#options.parameters();
    this.#parameters = parameters;
    let connection: Connection | undefined;
    try {
      connection = transport.dial(
        {
          address: parameters.address,
          port: parameters.port,
          localAddress: parameters.localAddress,
          device: parameters.device,
          ...this.#options.connectionOptions(),
        },
        this.#connectionHandlers(() => connection),
      );
      this.#attach(connection);
    } catch (error) {
      this.dispatch({ kind: "tcp-failed", ...tcpFailure(errorText(error), this.#attempt()) });
    }
  }

  #attach(connection: Connection): void {
    this.#connection = connection;
    this.#framer = new Framer();
    this.#pumpScheduled = false;
  }

  #connectionHandlers(own: () => Connection | undefined): ConnectionHandlers {
    const current = () => this.#connection !== undefined && this.#connection === own();
    return {
      onConnect: () => {
        if (current()) this.#connected();
      },
      onData: (chunk) => {
        if (!current()) return;
        this.#framer.push(chunk);
        if (!this.#pumpScheduled) this.#pump();
      },
      onDrain: () => {
        if (!current()) return;
        this.#sendHold.stop();
        this.#options.handlers.onDrain(this);
      },
      onClose: (reason) => {
        if (!current()) return;
        this.#finishInput();
        if (!current()) return;
        this.#connection = undefined;
        this.dispatch({ kind: "tcp-failed", ...tcpFailure(reason, this.#attempt()) });
      },
    };
  }

  #connected(): void {
    this.connectedAtMs = this.#options.clock.monotonicMs();
    this.#lastMessageMs = this.connectedAtMs;
    const incoming = this.direction === "incoming";
    this.#recorded = this.#options.record.connected(incoming, this.localAddress);
    this.dispatch({ kind: "tcp-connected" });
  }

  /** A NOTIFICATION right before the close must not be lost to slicing. */
  #finishInput(): void {
    if (this.#pumpScheduled) this.#pump(Number.POSITIVE_INFINITY);
  }

  #pump(budgetMs = SLICE_MS): void {
    const { clock } = this.#options;
    const connection = this.#connection;
    const startMs = clock.monotonicMs();
    const endMs = startMs + budgetMs;
    try {
      for (;;) {
        const message = this.#framer.next();
        if (message === undefined) break;
        this.#lastMessageMs = startMs;
        this.#receive(message);
        if (this.#connection !== connection) return;
        if (clock.monotonicMs() >= endMs || this.#mustWait(budgetMs)) {
          this.#pumpLater();
          return;
        }
      }
    } catch (error) {
      // Whatever a message makes go wrong here, it costs this session and nothing else.
      const known = error instanceof ProtocolError;
      const cause = known ? error : new ProtocolError("outOfResources", errorText(error));
      this.dispatch({ kind: "protocol-error", error: cause });
    }
  }

  /** What is still there when the connection is gone waits for nothing. */
  #mustWait(budgetMs: number): boolean {
    return Number.isFinite(budgetMs) && this.#options.handlers.congested();
  }

  #pumpLater(): void {
    if (this.#pumpScheduled) return;
    const connection = this.#connection;
    this.#pumpScheduled = true;
    connection?.pause();
    this.#options.clock.schedule(0, () => {
      if (this.#connection === undefined || this.#connection !== connection) return;
      this.#pumpScheduled = false;
      this.#pump();
      if (!this.#pumpScheduled) this.#connection?.resume();
    });
  }

  #receive(message: Uint8Array): void {
    const { handlers, record } = this.#options;
    this.#messagesSeen++;
    record.onReceived(this.#recorded, message);
    switch (message[HEADER_BYTES - 1]) {
      case messageType.open: {
        const open = readOpen(message);
        const awaited = this.#state.name === "OpenSent" || this.#state.delaying;
        const alone = !awaited || open instanceof ProtocolError || handlers.onOpen(this, open);
        if (alone) this.dispatch({ kind: "open", open });
        // RFC 8654 section 4: from now on the peer may send such.
        if (this.#state.negotiated?.extendedMessage) {
          this.#framer.maximumBytes = MAXIMUM_EXTENDED_MESSAGE_BYTES;
        }
        return;
      }
      case messageType.update: {
        const usable = this.#state.name === "Established" && this.#context !== undefined;
        const update = usable ? decodeUpdate(message, this.#context!) : undefined;
        this.dispatch({ kind: "update" });
        if (update) handlers.onUpdate(this, update);
        return;
      }
      case messageType.notification:
        this.dispatch({ kind: "notification", notification: decodeNotification(message) });
        return;
      case messageType.keepalive:
        this.dispatch({ kind: "keepalive" });
        return;
      default: {
        const { name, negotiated } = this.#state;
        const enhanced = negotiated?.enhancedRouteRefresh;
        const refresh = name === "Established" ? decodeRouteRefresh(message, enhanced) : undefined;
        this.dispatch({ kind: "route-refresh" });
        if (refresh) handlers.onRouteRefresh(this, refresh);
      }
    }
  }
}

/** What is wrong with it counts for something only where it was awaited. */
function readOpen(message: Uint8Array): Open | ProtocolError {
  try {
    return decodeOpen(message);
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
}
