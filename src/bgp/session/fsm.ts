/**
 * The session state machine of RFC 4271 section 8, one per connection. Pure: `step` maps a state and an
 * event to the next state and the actions that whoever drives it must carry out, in order.
 *
 *   Idle --start--> Connect --tcp--> OpenSent --OPEN--> OpenConfirm --KEEPALIVE--> Established
 *    ^  --start, passive--> Active --tcp--^    |             |                          |
 *    +-----------------------------------------+-------------+---------- anything wrong-+
 */

import type { SessionState } from "../types.ts";
import {
  describeNotification,
  hardReset,
  isHardReset,
  type Notification,
  type NotificationName,
  notification,
  notificationCode,
  type Open,
  ProtocolError,
} from "../wire/index.ts";
import { type Negotiated, negotiate } from "./negotiate.ts";
import type { SessionParameters } from "./parameters.ts";

export type FsmTimer = "connect-retry" | "hold" | "keepalive";

export type FsmEvent =
  | { readonly kind: "start"; readonly passive: boolean }
  /** Sends the NOTIFICATION where there is a connection to send it on; without one just closes. */
  | { readonly kind: "stop"; readonly notification?: Notification }
  /** RFC 4724 section 5: another connection with the peer takes over; routes are kept meanwhile. */
  | { readonly kind: "replaced"; readonly notification?: Notification }
  | { readonly kind: "timer"; readonly timer: FsmTimer }
  | { readonly kind: "tcp-connected" }
  | { readonly kind: "tcp-failed"; readonly reason: string }
  | { readonly kind: "open"; readonly open: Open }
  | { readonly kind: "keepalive" }
  | { readonly kind: "update" }
  | { readonly kind: "route-refresh" }
  | { readonly kind: "notification"; readonly notification: Notification }
  | { readonly kind: "protocol-error"; readonly error: ProtocolError };

export type DownCause =
  /** TCP went away, or was given up for a newer connection: routes may be kept (RFC 4724). */
  | "tcp"
  | "notification-sent"
  | "notification-received"
  /** Wanted by this side. */
  | "stopped";

export type FsmAction =
  | { readonly kind: "dial" }
  | { readonly kind: "close" }
  | { readonly kind: "send-open" }
  | { readonly kind: "send-keepalive" }
  | { readonly kind: "send-notification"; readonly notification: Notification }
  /** Without `seconds`, the driver chooses (its backoff). */
  | { readonly kind: "start-timer"; readonly timer: FsmTimer; readonly seconds?: number }
  | { readonly kind: "stop-timers" }
  | { readonly kind: "established"; readonly negotiated: Negotiated }
  | {
      readonly kind: "down";
      readonly cause: DownCause;
      readonly from: SessionState;
      readonly reason: string;
      /** The peer's routes may be kept for it, as far as graceful restart was agreed on. */
      readonly restartable: boolean;
    };

export interface FsmState {
  readonly name: SessionState;
  /** In OpenConfirm and Established. */
  readonly negotiated?: Negotiated;
}

export interface FsmResult {
  readonly state: FsmState;
  readonly actions: readonly FsmAction[];
}

/** RFC 4271 section 8.2.2: a large value while the peer's OPEN is awaited. */
const OPEN_HOLD_SECONDS = 240;

export const idleState: FsmState = { name: "Idle" };

export function step(state: FsmState, event: FsmEvent, parameters: SessionParameters): FsmResult {
  switch (event.kind) {
    case "stop":
      return stopped(state, event.notification);
    case "replaced":
      return replaced(state, event.notification);
    case "protocol-error":
      if (!hasSession(state)) return ignored(state);
      return fail(state, event.error.notification, event.error.message);
    case "notification":
      if (!hasSession(state)) return ignored(state);
      return toIdle(state, {
        cause: isCollision(event.notification) ? "tcp" : "notification-received",
        restartable: isCollision(event.notification) || keepsRoutes(state, event.notification),
        reason: `received ${describeNotification(event.notification)}`,
      });
  }
  switch (state.name) {
    case "Idle":
      return event.kind === "start" ? start(event.passive) : ignored(state);
    case "Connect":
    case "Active":
      return connecting(state, event);
    case "OpenSent":
      return openSent(state, event, parameters);
    case "OpenConfirm":
      return openConfirm(state, event);
    case "Established":
      return established(state, event);
  }
}

function hasSession({ name }: FsmState): boolean {
  return name === "OpenSent" || name === "OpenConfirm" || name === "Established";
}

function start(passive: boolean): FsmResult {
  if (passive) return { state: { name: "Active" }, actions: [] };
  return {
    state: { name: "Connect" },
    actions: [{ kind: "start-timer", timer: "connect-retry" }, { kind: "dial" }],
  };
}

type OtherEvent = Exclude<
  FsmEvent,
  { kind: "stop" | "replaced" | "protocol-error" | "notification" }
>;

function connecting(state: FsmState, event: OtherEvent): FsmResult {
  switch (event.kind) {
    case "tcp-connected":
      return {
        state: { name: "OpenSent" },
        actions: [
          { kind: "stop-timers" },
          { kind: "send-open" },
          { kind: "start-timer", timer: "hold", seconds: OPEN_HOLD_SECONDS },
        ],
      };
    case "tcp-failed":
      // The retry timer runs on; Active is what BIRD and others show between two attempts.
      return {
        state: { name: "Active" },
        actions: [
          { kind: "close" },
          {
            ...{ kind: "down", cause: "tcp", from: state.name },
            ...{ reason: event.reason, restartable: true },
          },
        ],
      };
    case "timer":
      if (event.timer !== "connect-retry") return ignored(state);
      return {
        state: { name: "Connect" },
        actions: [
          { kind: "close" },
          { kind: "start-timer", timer: "connect-retry" },
          { kind: "dial" },
        ],
      };
    default:
      return ignored(state);
  }
}

function openSent(state: FsmState, event: OtherEvent, parameters: SessionParameters): FsmResult {
  switch (event.kind) {
    case "open":
      return acceptOpen(state, event.open, parameters);
    case "tcp-failed":
      return toIdle(state, { cause: "tcp", reason: event.reason, restartable: true });
    case "timer":
      return event.timer === "hold" ? holdExpired(state) : ignored(state);
    default:
      return unexpected(state, event, "unexpectedInOpenSent");
  }
}

function acceptOpen(state: FsmState, open: Open, parameters: SessionParameters): FsmResult {
  let negotiated: Negotiated;
  try {
    negotiated = negotiate(open, parameters);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return fail(state, error.notification, error.message);
  }
  return {
    state: { name: "OpenConfirm", negotiated },
    actions: [{ kind: "stop-timers" }, { kind: "send-keepalive" }, ...sessionTimers(negotiated)],
  };
}

function sessionTimers({ holdTimeSeconds, keepaliveSeconds }: Negotiated): FsmAction[] {
  if (holdTimeSeconds === 0) return [];
  return [
    { kind: "start-timer", timer: "hold", seconds: holdTimeSeconds },
    { kind: "start-timer", timer: "keepalive", seconds: keepaliveSeconds },
  ];
}

function openConfirm(state: FsmState, event: OtherEvent): FsmResult {
  switch (event.kind) {
    case "keepalive":
      return {
        state: { ...state, name: "Established" },
        actions: [...restartHold(state), { kind: "established", negotiated: state.negotiated! }],
      };
    case "tcp-failed":
      return toIdle(state, { cause: "tcp", reason: event.reason, restartable: true });
    case "timer":
      return sessionTimer(state, event.timer);
    default:
      return unexpected(state, event, "unexpectedInOpenConfirm");
  }
}

function established(state: FsmState, event: OtherEvent): FsmResult {
  switch (event.kind) {
    case "keepalive":
    case "update":
    case "route-refresh":
      return { state, actions: restartHold(state) };
    case "tcp-failed":
      return toIdle(state, { cause: "tcp", reason: event.reason, restartable: true });
    case "timer":
      return sessionTimer(state, event.timer);
    default:
      return unexpected(state, event, "unexpectedInEstablished");
  }
}

function restartHold({ negotiated }: FsmState): readonly FsmAction[] {
  const seconds = negotiated!.holdTimeSeconds;
  return seconds === 0 ? [] : [{ kind: "start-timer", timer: "hold", seconds }];
}

function sessionTimer(state: FsmState, timer: FsmTimer): FsmResult {
  if (timer === "hold") return holdExpired(state);
  if (timer !== "keepalive") return ignored(state);
  const seconds = state.negotiated!.keepaliveSeconds;
  return {
    state,
    actions: [{ kind: "send-keepalive" }, { kind: "start-timer", timer: "keepalive", seconds }],
  };
}

function holdExpired(state: FsmState): FsmResult {
  return fail(state, notification("holdTimerExpired"), "Hold Timer Expired");
}

function unexpected(state: FsmState, event: OtherEvent, name: NotificationName): FsmResult {
  if (event.kind === "start" || event.kind === "tcp-connected") return ignored(state);
  const message = notification(name);
  return fail(state, message, `${describeNotification(message)}: ${event.kind}`);
}

function stopped(state: FsmState, message: Notification | undefined): FsmResult {
  if (state.name === "Idle") return ignored(state);
  const reason = message ? `sent ${describeNotification(message)}` : "stopped";
  const result = toIdle(state, { cause: "stopped", reason, restartable: false });
  if (message === undefined || !hasSession(state)) return result;
  const send: FsmAction = { kind: "send-notification", notification: asMeant(state, message) };
  return { ...result, actions: [send, ...result.actions] };
}

function replaced(state: FsmState, message: Notification | undefined): FsmResult {
  if (!hasSession(state)) return ignored(state);
  const result = toIdle(state, {
    ...{ cause: "tcp", reason: "another connection took over", restartable: true },
  });
  if (message === undefined) return result;
  const send: FsmAction = { kind: "send-notification", notification: message };
  return { ...result, actions: [send, ...result.actions] };
}

/** The peer goes on with another connection: nothing is wrong with its routes. */
function isCollision({ code, subcode }: Notification): boolean {
  const [cease, collision] = notificationCode.connectionCollision;
  return code === cease && subcode === collision;
}

function fail(state: FsmState, message: Notification, reason: string): FsmResult {
  const sent = asMeant(state, message);
  const restartable = keepsRoutes(state, sent);
  const cause = "notification-sent";
  const result = toIdle(state, { cause, reason: `sent ${reason}`, restartable });
  const send: FsmAction = { kind: "send-notification", notification: sent };
  return { ...result, actions: [send, ...result.actions] };
}

/** RFC 8538 section 4: once both said so, what is no hard reset is a restart. */
function keepsRoutes({ negotiated }: FsmState, message: Notification): boolean {
  return negotiated?.gracefulRestart?.notification === true && !isHardReset(message);
}

/** Section 3.1: what is meant to make the peer forget us says so. */
function asMeant({ negotiated }: FsmState, message: Notification): Notification {
  const soft = negotiated?.gracefulRestart?.notification !== true;
  const final = finalCodes.some(
    (name) => `${notificationCode[name]}` === `${[message.code, message.subcode]}`,
  );
  return soft || !final ? message : hardReset(message);
}

const finalCodes = ["administrativeShutdown", "peerDeconfigured", "maximumPrefixes"] as const;

interface Why {
  readonly cause: DownCause;
  readonly reason: string;
  readonly restartable: boolean;
}

function toIdle(from: FsmState, why: Why): FsmResult {
  return {
    state: idleState,
    actions: [
      { kind: "stop-timers" },
      { kind: "close" },
      { kind: "down", from: from.name, ...why },
    ],
  };
}

function ignored(state: FsmState): FsmResult {
  return { state, actions: [] };
}
