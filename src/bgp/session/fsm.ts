/**
 * The session state machine of RFC 4271 section 8, one per connection. Pure: `step` maps a state and an
 * event to the next state and the actions that whoever drives it must carry out, in order.
 *
 *   Idle --start--> Connect --tcp--> OpenSent --OPEN--> OpenConfirm --KEEPALIVE--> Established
 *    ^  --start, passive--> Active --tcp--^    |             |                          |
 *    +-----------------------------------------+-------------+---------- anything wrong-+
 *
 * With DelayOpen a connection waits in Connect or Active for the peer to send its OPEN first.
 */

import {
  describeNotification,
  explainNotification,
  hardReset,
  isHardReset,
  messageType,
  type Notification,
  type NotificationName,
  notification,
  notificationCode,
  notificationName,
  type Open,
  ProtocolError,
} from "../wire/index.ts";
import type { Down, FsmAction, FsmEvent, FsmResult, FsmState } from "./fsm-types.ts";
import { type Negotiated, negotiate } from "./negotiate.ts";
import type { SessionParameters } from "./parameters.ts";
import { receivedWords, type TcpFailure } from "./words.ts";

export type * from "./fsm-types.ts";

/** RFC 4271 section 8.2.2: a large value while the peer's OPEN is awaited. */
const OPEN_HOLD_SECONDS = 240;

export const idleState: FsmState = { name: "Idle" };

export function step(state: FsmState, event: FsmEvent, parameters: SessionParameters): FsmResult {
  switch (event.kind) {
    case "stop":
      return stopped(state, event);
    case "replaced":
      return replaced(state, event.notification);
    case "protocol-error":
      if (!hasConnection(state)) return ignored(state);
      return fail(state, event.error.notification, event.error.message);
    case "notification":
      if (!hasConnection(state)) return ignored(state);
      return toIdle(state, {
        cause: isCollision(event.notification) ? "tcp" : "notification-received",
        by: "peer",
        name: notificationName(event.notification),
        restartable: isCollision(event.notification) || keepsRoutes(state, event.notification),
        reason: receivedWords(event.notification, parameters),
      });
  }
  switch (state.name) {
    case "Idle":
      return event.kind === "start" ? start(event.passive) : ignored(state);
    case "Connect":
    case "Active":
      return state.delaying
        ? delaying(state, event, parameters)
        : connecting(state, event, parameters);
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

function hasConnection(state: FsmState): boolean {
  return hasSession(state) || state.delaying === true;
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

function connecting(
  state: FsmState,
  event: OtherEvent,
  { delayOpenSeconds = 0 }: SessionParameters,
): FsmResult {
  switch (event.kind) {
    case "tcp-connected":
      if (delayOpenSeconds === 0) return sendOpen();
      return {
        state: { ...state, delaying: true },
        actions: [
          { kind: "stop-timers" },
          { kind: "start-timer", timer: "delay-open", seconds: delayOpenSeconds },
        ],
      };
    case "tcp-failed":
      // The retry timer runs on; Active is what BIRD and others show between two attempts.
      return {
        state: { name: "Active" },
        actions: [{ kind: "close" }, { ...tcpDown(event), kind: "down", from: state.name }],
      };
    case "timer":
      if (event.timer !== "connect-retry") return ignored(state);
      return {
        state: { name: "Connect" },
        actions: [
          { kind: "close" },
          ...unanswered(state, event.unanswered),
          { kind: "start-timer", timer: "connect-retry" },
          { kind: "dial" },
        ],
      };
    default:
      return ignored(state);
  }
}

function sendOpen(): FsmResult {
  return {
    state: { name: "OpenSent" },
    actions: [
      { kind: "stop-timers" },
      { kind: "send-open" },
      { kind: "start-timer", timer: "hold", seconds: OPEN_HOLD_SECONDS },
    ],
  };
}

function delaying(state: FsmState, event: OtherEvent, parameters: SessionParameters): FsmResult {
  switch (event.kind) {
    case "open": {
      const result = acceptOpen(state, event.open, parameters);
      if (result.state.name !== "OpenConfirm") return result;
      return { ...result, actions: [{ kind: "send-open" }, ...result.actions] };
    }
    case "tcp-failed":
      if (state.name === "Active") return toIdle(state, tcpDown(event));
      return {
        state: { name: "Active" },
        actions: [
          { kind: "stop-timers" },
          { kind: "close" },
          { ...tcpDown(event), kind: "down", from: state.name },
          { kind: "start-timer", timer: "connect-retry" },
        ],
      };
    case "timer":
      return event.timer === "delay-open" ? sendOpen() : ignored(state);
    case "start":
    case "tcp-connected":
      return ignored(state);
    default: {
      const reason = `the peer sent ${event.kind.toUpperCase()} where its OPEN was awaited`;
      return toIdle(state, tcpDown({ by: "peer", name: "no OPEN", reason }));
    }
  }
}

function unanswered({ name: from }: FsmState, failure: TcpFailure | undefined): FsmAction[] {
  if (from !== "Connect" || failure === undefined) return [];
  return [{ ...tcpDown(failure), kind: "down", from }];
}

function tcpDown({ by, name, reason }: TcpFailure): Down {
  return { cause: "tcp", by, name, reason, restartable: true };
}

function openSent(state: FsmState, event: OtherEvent, parameters: SessionParameters): FsmResult {
  switch (event.kind) {
    case "open":
      return acceptOpen(state, event.open, parameters);
    case "tcp-failed":
      return toIdle(state, tcpDown(event));
    case "timer":
      return event.timer === "hold" ? holdExpired(state, event) : ignored(state);
    default:
      return unexpected(state, event, "unexpectedInOpenSent");
  }
}

function acceptOpen(
  state: FsmState,
  open: Open | ProtocolError,
  parameters: SessionParameters,
): FsmResult {
  let negotiated: Negotiated;
  try {
    if (open instanceof ProtocolError) throw open;
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
      return toIdle(state, tcpDown(event));
    case "timer":
      return sessionTimer(state, event);
    case "open":
      // Of two connections the collision decides before; on one a second OPEN has no place.
      if (event.open instanceof ProtocolError) {
        return fail(state, event.open.notification, event.open.message);
      }
      return unexpected(state, event, "unexpectedInOpenConfirm");
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
      return toIdle(state, tcpDown(event));
    case "timer":
      return sessionTimer(state, event);
    default:
      return unexpected(state, event, "unexpectedInEstablished");
  }
}

function restartHold({ negotiated }: FsmState): readonly FsmAction[] {
  const seconds = negotiated!.holdTimeSeconds;
  return seconds === 0 ? [] : [{ kind: "start-timer", timer: "hold", seconds }];
}

type TimerEvent = Extract<FsmEvent, { kind: "timer" }>;

function sessionTimer(state: FsmState, event: TimerEvent): FsmResult {
  if (event.timer === "hold") return holdExpired(state, event);
  if (event.timer !== "keepalive") return ignored(state);
  const seconds = state.negotiated!.keepaliveSeconds;
  return {
    state,
    actions: [{ kind: "send-keepalive" }, { kind: "start-timer", timer: "keepalive", seconds }],
  };
}

function holdExpired(state: FsmState, { silentMs, otherKey }: TimerEvent): FsmResult {
  const missed = state.name === "OpenSent" ? "no OPEN came" : "no whole message came";
  const silence = silentMs === undefined ? "" : ` for ${(silentMs / 1000).toFixed(1)} s`;
  const key = otherKey ? "; our password (TCP MD5) was changed since" : "";
  const agreed = state.negotiated?.holdTimeSeconds ?? OPEN_HOLD_SECONDS;
  const reason = `Hold Timer Expired: ${missed}${silence} (hold time ${agreed} s)${key}`;
  return fail(state, notification("holdTimerExpired"), reason);
}

const unexpectedTypes: Partial<Record<FsmEvent["kind"], number>> = {
  open: messageType.open,
  update: messageType.update,
  keepalive: messageType.keepalive,
  "route-refresh": messageType.routeRefresh,
};

function unexpected(state: FsmState, event: OtherEvent, name: NotificationName): FsmResult {
  if (event.kind === "start" || event.kind === "tcp-connected") return ignored(state);
  // RFC 6608 section 3: the type of the message.
  const type = unexpectedTypes[event.kind];
  const message = notification(name, type === undefined ? undefined : Uint8Array.of(type));
  return fail(state, message, explainNotification(message));
}

type StopEvent = Extract<FsmEvent, { kind: "stop" }>;

function stopped(state: FsmState, { notification: message, why }: StopEvent): FsmResult {
  if (state.name === "Idle") return ignored(state);
  const how = message ? `sent ${describeNotification(message)}` : "closed without a word";
  const reason = why === undefined ? how : `${why}: ${how}`;
  const name = message ? notificationName(message) : "stopped";
  const result = toIdle(state, { cause: "stopped", by: "us", name, reason, restartable: false });
  if (message === undefined || !hasConnection(state)) return result;
  const send: FsmAction = { kind: "send-notification", notification: asMeant(state, message) };
  return { ...result, actions: [send, ...result.actions] };
}

function replaced(state: FsmState, message: Notification | undefined): FsmResult {
  if (!hasSession(state)) return ignored(state);
  const result = toIdle(state, {
    ...{ cause: "tcp", by: "us", name: "connection replaced" },
    ...{ reason: "another connection took over", restartable: true },
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
  const result = toIdle(state, {
    ...{ cause: "notification-sent", by: "us", name: notificationName(message) },
    ...{ reason: `sent ${reason}`, restartable },
  });
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

const finalCodes = [
  "administrativeShutdown",
  "peerDeconfigured",
  "maximumPrefixes",
  "bfdDown",
] as const;

function toIdle(from: FsmState, why: Down): FsmResult {
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
