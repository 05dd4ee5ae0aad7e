/**
 * The state machine against RFC 4271 section 8: every state with every event of section 8.1, by its number.
 * A row says what is done and the state that follows; `.` is: nothing, and no other state.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ipv4 } from "../../lib/index.ts";
import { notification, type Open, ProtocolError } from "../wire/index.ts";
import { type FsmAction, type FsmEvent, type FsmState, idleState, step } from "./fsm.ts";
import { negotiate } from "./negotiate.ts";
import type { SessionParameters } from "./parameters.ts";
import { testParameters } from "./testing.ts";

const parameters = testParameters;
const open: Open = {
  ...{ kind: "open", as: 64513, holdTimeSeconds: 240, routerId: ipv4("192.0.2.2") },
  capabilities: [],
};
const negotiated = negotiate(open, parameters);

const states = {
  Idle: idleState,
  Connect: { name: "Connect" },
  "Connect, OPEN delayed": { name: "Connect", delaying: true },
  Active: { name: "Active" },
  "Active, OPEN delayed": { name: "Active", delaying: true },
  OpenSent: { name: "OpenSent" },
  OpenConfirm: { name: "OpenConfirm", negotiated },
  Established: { name: "Established", negotiated },
} satisfies Record<string, FsmState>;

const timer = (name: "connect-retry" | "delay-open" | "hold" | "keepalive"): FsmEvent => ({
  kind: "timer",
  timer: name,
});
const failure = (error: ProtocolError): FsmEvent => ({ kind: "protocol-error", error });
const told = (name: Parameters<typeof notification>[0]): FsmEvent => ({
  kind: "notification",
  notification: notification(name),
});

/**
 * Not here: 6 and 7, damped starts, and 13, IdleHoldTimer, which are starts that the session puts off
 * (`peer-session.ts`); 14 and 15, connections not yet there, which the kernel and the listener decide on.
 */
const events: Record<string, FsmEvent> = {
  "1, 3 start": { kind: "start", passive: false },
  "2, 8 stop": { kind: "stop", notification: notification("administrativeShutdown") },
  "4, 5 start, passive": { kind: "start", passive: true },
  "9 ConnectRetryTimer": timer("connect-retry"),
  "10 HoldTimer": timer("hold"),
  "11 KeepaliveTimer": timer("keepalive"),
  "12 DelayOpenTimer": timer("delay-open"),
  "16, 17 TCP is there": { kind: "tcp-connected" },
  "18 TCP fails": { kind: "tcp-failed", by: "peer", name: "connection reset", reason: "reset" },
  "19, 20 OPEN": { kind: "open", open },
  "21 bad header": failure(new ProtocolError("badMessageType", "type 9")),
  "22 bad OPEN": { kind: "open", open: { ...open, as: 9 } },
  "22 unreadable OPEN": {
    kind: "open",
    open: new ProtocolError("unsupportedVersion", "version 3"),
  },
  "23 collision": { kind: "stop", notification: notification("connectionCollision") },
  "24 NOTIFICATION of version": told("unsupportedVersion"),
  "25 NOTIFICATION": told("otherConfigurationChange"),
  "26 KEEPALIVE": { kind: "keepalive" },
  "27 UPDATE": { kind: "update" },
  "28 bad UPDATE": failure(new ProtocolError("malformedAttributeList", "cut")),
};

function text(action: FsmAction): string {
  switch (action.kind) {
    case "start-timer":
      return `${action.timer}${action.seconds === undefined ? "" : ` ${action.seconds}`}`;
    case "send-notification":
      return `N(${action.notification.code}/${action.notification.subcode})`;
    case "down":
      return "down";
    case "stop-timers":
      return "no timers";
    default:
      return action.kind;
  }
}

function outcome(state: FsmState, event: FsmEvent, own: SessionParameters): string {
  const { state: next, actions } = step(state, event, own);
  if (actions.length === 0 && next === state) return ".";
  const name = next.delaying ? `${next.name}, OPEN delayed` : next.name;
  return `${[...actions.map(text), ""].join(", ")}${name}`;
}
const begin = "no timers, send-open, hold 240, OpenSent";
const close = "no timers, close, down, Idle";
const delayed = {
  // SendNOTIFICATIONwithoutOPEN is TRUE here: a peer learns what is wrong, though it got no OPEN.
  "2, 8 stop": `N(6/2), ${close}`,
  "12 DelayOpenTimer": begin,
  "19, 20 OPEN": "send-open, no timers, send-keepalive, hold 90, keepalive 30, OpenConfirm",
  "21 bad header": `N(1/3), ${close}`,
  "22 bad OPEN": `N(2/2), ${close}`,
  "22 unreadable OPEN": `N(2/1), ${close}`,
  "23 collision": `N(6/7), ${close}`,
  "24 NOTIFICATION of version": close,
  "25 NOTIFICATION": close,
  "26 KEEPALIVE": close,
  "27 UPDATE": close,
  "28 bad UPDATE": `N(3/1), ${close}`,
};
const ended = {
  "2, 8 stop": `N(6/2), ${close}`,
  "10 HoldTimer": `N(4/0), ${close}`,
  "18 TCP fails": close,
  "21 bad header": `N(1/3), ${close}`,
  "23 collision": `N(6/7), ${close}`,
  "24 NOTIFICATION of version": close,
  // Nor is it answered in OpenSent, as section 8.2.2 has it: section 6.4 knows no answer to a NOTIFICATION.
  "25 NOTIFICATION": close,
  "28 bad UPDATE": `N(3/1), ${close}`,
};

/** What a state does not name is `.`: timers that do not run there, messages with no connection, starts. */
const table: Record<keyof typeof states, Partial<Record<keyof typeof events, string>>> = {
  Idle: {
    "1, 3 start": "connect-retry, dial, Connect",
    // Without ConnectRetryTimer: a peer that is to wait never dials.
    "4, 5 start, passive": "Active",
  },
  Connect: {
    "2, 8 stop": close,
    "9 ConnectRetryTimer": "close, connect-retry, dial, Connect",
    "16, 17 TCP is there": begin,
    // Not Idle: the retry timer runs on, as with DelayOpen.
    "18 TCP fails": "close, down, Active",
    "23 collision": close,
  },
  Active: {
    "2, 8 stop": close,
    "9 ConnectRetryTimer": "close, connect-retry, dial, Connect",
    "16, 17 TCP is there": begin,
    "18 TCP fails": "close, down, Active",
    "23 collision": close,
  },
  "Connect, OPEN delayed": {
    ...delayed,
    "18 TCP fails": "no timers, close, down, connect-retry, Active",
  },
  "Active, OPEN delayed": { ...delayed, "18 TCP fails": close },
  OpenSent: {
    ...ended,
    // TCP that fails (18) leads to Idle, not Active: whether and when to dial again is the session's to say.
    "19, 20 OPEN": "no timers, send-keepalive, hold 90, keepalive 30, OpenConfirm",
    "22 bad OPEN": `N(2/2), ${close}`,
    "22 unreadable OPEN": `N(2/1), ${close}`,
    "26 KEEPALIVE": `N(5/1), ${close}`,
    "27 UPDATE": `N(5/1), ${close}`,
  },
  OpenConfirm: {
    ...ended,
    "11 KeepaliveTimer": "send-keepalive, keepalive 30, OpenConfirm",
    // A second one on the same connection; of two connections `collision.ts` decides before.
    "19, 20 OPEN": `N(5/2), ${close}`,
    "22 bad OPEN": `N(5/2), ${close}`,
    "22 unreadable OPEN": `N(2/1), ${close}`,
    "26 KEEPALIVE": "hold 90, established, Established",
    "27 UPDATE": `N(5/2), ${close}`,
  },
  Established: {
    ...ended,
    "11 KeepaliveTimer": "send-keepalive, keepalive 30, Established",
    "19, 20 OPEN": `N(5/3), ${close}`,
    "22 bad OPEN": `N(5/3), ${close}`,
    "22 unreadable OPEN": `N(5/3), ${close}`,
    "26 KEEPALIVE": "hold 90, Established",
    "27 UPDATE": "hold 90, Established",
  },
};

for (const [name, state] of Object.entries(states)) {
  describe(`RFC 4271 section 8.2.2, ${name}`, () => {
    for (const [event, what] of Object.entries(events)) {
      it(event, () => {
        const expected = table[name as keyof typeof states][event] ?? ".";
        assert.equal(outcome(state, what, parameters), expected);
      });
    }
  });
}

describe("RFC 4271 section 8.1.4, DelayOpen", () => {
  const own = { ...parameters, delayOpenSeconds: 7 };
  for (const name of ["Connect", "Active"] as const) {
    it(`waits in ${name} where it is set`, () => {
      const expected = `no timers, delay-open 7, ${name}, OPEN delayed`;
      assert.equal(outcome(states[name], events["16, 17 TCP is there"]!, own), expected);
    });
  }

  it("answers a hold time of 0 without timers", () => {
    const event: FsmEvent = { kind: "open", open: { ...open, holdTimeSeconds: 0 } };
    assert.equal(
      outcome(states["Active, OPEN delayed"], event, own),
      "send-open, no timers, send-keepalive, OpenConfirm",
    );
  });
});
