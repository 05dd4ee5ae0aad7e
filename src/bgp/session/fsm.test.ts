/** The state machine as a table: from a state, an event, to a state, with the actions in order. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Ipv4, ipv4 } from "../../lib/index.ts";
import { notification, type Open, ProtocolError } from "../wire/index.ts";
import { type FsmAction, type FsmEvent, type FsmState, idleState, step } from "./fsm.ts";
import { negotiate } from "./negotiate.ts";
import { localOpen, type SessionParameters } from "./parameters.ts";
import { testParameters } from "./testing.ts";

const parameters = testParameters;

const open: Open = {
  kind: "open",
  as: 64513,
  holdTimeSeconds: 240,
  routerId: ipv4("192.0.2.2"),
  capabilities: [],
};

const states: Record<string, FsmState> = {
  Idle: idleState,
  Connect: { name: "Connect" },
  Active: { name: "Active" },
  OpenSent: { name: "OpenSent" },
  OpenConfirm: { name: "OpenConfirm", negotiated: negotiate(open, parameters) },
  Established: { name: "Established", negotiated: negotiate(open, parameters) },
};

const cease = notification("administrativeShutdown");
const events: Record<string, FsmEvent> = {
  start: { kind: "start", passive: false },
  "start passive": { kind: "start", passive: true },
  stop: { kind: "stop" },
  "stop with Cease": { kind: "stop", notification: cease },
  replaced: { kind: "replaced" },
  retry: { kind: "timer", timer: "connect-retry" },
  hold: { kind: "timer", timer: "hold" },
  "keepalive timer": { kind: "timer", timer: "keepalive" },
  connected: { kind: "tcp-connected" },
  failed: { kind: "tcp-failed", by: "peer", name: "connection reset", reason: "reset" },
  OPEN: { kind: "open", open },
  "OPEN of AS 9": { kind: "open", open: { ...open, as: 9 } },
  "OPEN with hold 0": { kind: "open", open: { ...open, holdTimeSeconds: 0 } },
  KEEPALIVE: { kind: "keepalive" },
  UPDATE: { kind: "update" },
  "ROUTE-REFRESH": { kind: "route-refresh" },
  NOTIFICATION: { kind: "notification", notification: cease },
  "NOTIFICATION of collision": {
    kind: "notification",
    notification: notification("connectionCollision"),
  },
  "bad header": { kind: "protocol-error", error: new ProtocolError("badMessageType", "type 9") },
};

function text(action: FsmAction): string {
  switch (action.kind) {
    case "start-timer":
      return `${action.timer}${action.seconds === undefined ? "" : ` ${action.seconds}`}`;
    case "send-notification":
      return `send ${action.notification.code}/${action.notification.subcode}`;
    case "down":
      return `down(${action.cause})`;
    default:
      return action.kind;
  }
}

const ended = "stop-timers, close, down";
const rows: [state: string, event: string, expected: string][] = [
  ["Idle", "start", "Connect: connect-retry, dial"],
  ["Idle", "start passive", "Active: "],
  ["Idle", "stop", "Idle: "],
  ["Idle", "KEEPALIVE", "Idle: "],
  ["Idle", "connected", "Idle: "],
  ["Idle", "bad header", "Idle: "],
  ["Connect", "connected", "OpenSent: stop-timers, send-open, hold 240"],
  ["Connect", "failed", "Active: close, down(tcp)"],
  ["Connect", "retry", "Connect: close, connect-retry, dial"],
  ["Connect", "hold", "Connect: "],
  ["Connect", "stop with Cease", `Idle: ${ended}(stopped)`],
  ["Active", "connected", "OpenSent: stop-timers, send-open, hold 240"],
  ["Active", "retry", "Connect: close, connect-retry, dial"],
  ["Active", "stop", `Idle: ${ended}(stopped)`],
  ["OpenSent", "OPEN", "OpenConfirm: stop-timers, send-keepalive, hold 90, keepalive 30"],
  ["OpenSent", "OPEN with hold 0", "OpenConfirm: stop-timers, send-keepalive"],
  ["OpenSent", "OPEN of AS 9", `Idle: send 2/2, ${ended}(notification-sent)`],
  ["OpenSent", "KEEPALIVE", `Idle: send 5/1, ${ended}(notification-sent)`],
  ["OpenSent", "UPDATE", `Idle: send 5/1, ${ended}(notification-sent)`],
  ["OpenSent", "hold", `Idle: send 4/0, ${ended}(notification-sent)`],
  ["OpenSent", "failed", `Idle: ${ended}(tcp)`],
  ["OpenSent", "NOTIFICATION", `Idle: ${ended}(notification-received)`],
  ["OpenSent", "bad header", `Idle: send 1/3, ${ended}(notification-sent)`],
  ["OpenConfirm", "KEEPALIVE", "Established: hold 90, established"],
  ["OpenConfirm", "keepalive timer", "OpenConfirm: send-keepalive, keepalive 30"],
  ["OpenConfirm", "hold", `Idle: send 4/0, ${ended}(notification-sent)`],
  ["OpenConfirm", "UPDATE", `Idle: send 5/2, ${ended}(notification-sent)`],
  ["OpenConfirm", "OPEN", `Idle: send 5/2, ${ended}(notification-sent)`],
  ["OpenConfirm", "NOTIFICATION of collision", `Idle: ${ended}(tcp)`],
  ["Established", "KEEPALIVE", "Established: hold 90"],
  ["Established", "UPDATE", "Established: hold 90"],
  ["Established", "ROUTE-REFRESH", "Established: hold 90"],
  ["Established", "keepalive timer", "Established: send-keepalive, keepalive 30"],
  ["Established", "hold", `Idle: send 4/0, ${ended}(notification-sent)`],
  ["Established", "OPEN", `Idle: send 5/3, ${ended}(notification-sent)`],
  ["Established", "failed", `Idle: ${ended}(tcp)`],
  ["Established", "replaced", `Idle: ${ended}(tcp)`],
  ["Established", "stop", `Idle: ${ended}(stopped)`],
  ["Established", "stop with Cease", `Idle: send 6/2, ${ended}(stopped)`],
  ["Established", "NOTIFICATION", `Idle: ${ended}(notification-received)`],
  ["Established", "start", "Established: "],
];

describe("session state machine", () => {
  for (const [from, event, expected] of rows) {
    it(`${from}, ${event}`, () => {
      const { state, actions } = step(states[from]!, events[event]!, parameters);
      assert.equal(`${state.name}: ${actions.map(text).join(", ")}`, expected);
    });
  }

  it("never keeps a session without hold timer, or a timer in Idle, whatever happens", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...Object.values(events))), (sequence) => {
        let state = idleState;
        const timers = new Set<string>();
        let connected = false;
        for (const event of sequence) {
          if (event.kind === "timer" && !timers.has(event.timer)) continue;
          if (event.kind === "tcp-connected" && connected) continue;
          const result = step(state, event, parameters);
          state = result.state;
          for (const action of result.actions) {
            if (action.kind === "start-timer") timers.add(action.timer);
            if (action.kind === "stop-timers") timers.clear();
            if (action.kind === "send-open") connected = true;
            if (action.kind === "close") connected = false;
          }
          if (state.name === "Idle") assert.equal(timers.size, 0);
          const holds = state.negotiated?.holdTimeSeconds !== 0;
          if (/Open|Established/.test(state.name) && holds) assert.ok(timers.has("hold"));
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("negotiation", () => {
  const refused = (change: Partial<Open>, own: Partial<SessionParameters> = {}) => {
    try {
      negotiate({ ...open, ...change }, { ...parameters, ...own });
      return "accepted";
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return error.message;
    }
  };

  it("refuses another AS", () => {
    assert.equal(
      refused({ as: 9 }),
      "OPEN Message Error / Bad Peer AS: AS 9 where 64513 is configured",
    );
  });

  it("refuses our own identifier from inside our AS, not from outside (RFC 6286)", () => {
    const routerId: Ipv4 = parameters.routerId;
    assert.match(refused({ as: 64512, routerId }, { remoteAs: 64512 }), /Bad BGP Identifier/);
    assert.equal(refused({ routerId }), "accepted");
  });

  it("refuses a peer that carries no family of ours", () => {
    const capabilities = [{ kind: "multiprotocol" as const, afi: 2, safi: 1 }];
    assert.match(refused({ capabilities }), /Unsupported Capability/);
  });

  it("takes the shorter hold time, and keepalives at most a third of it", () => {
    assert.equal(negotiate(open, parameters).holdTimeSeconds, 90);
    const short = negotiate(
      { ...open, holdTimeSeconds: 3 },
      { ...parameters, keepaliveSeconds: 60 },
    );
    assert.equal(short.holdTimeSeconds, 3);
    assert.equal(short.keepaliveSeconds, 1);
    assert.equal(negotiate(open, { ...parameters, keepaliveSeconds: 7 }).keepaliveSeconds, 7);
  });

  it("knows for which families a restarting peer kept forwarding", () => {
    const { gracefulRestart } = negotiate(
      {
        ...open,
        capabilities: [
          {
            kind: "graceful-restart",
            restarted: true,
            notification: false,
            restartTimeSeconds: 77,
            families: [{ afi: 1, safi: 1, forwarding: false }],
          },
        ],
      },
      parameters,
    );
    assert.deepEqual(gracefulRestart, {
      restarted: true,
      notification: false,
      restartTimeSeconds: 77,
      families: ["ipv4-unicast"],
      forwarding: [],
    });
  });

  it("agrees on IPv4 over IPv6 next hops only where both want it (RFC 8950)", () => {
    const entry = { afi: 1, safi: 1, nextHopAfi: 2 };
    const offer = (...entries: (typeof entry)[]) => ({
      ...open,
      capabilities: [{ kind: "extended-next-hop" as const, entries }],
    });
    const wanted = { ...parameters, extendedNextHop: true };
    assert.equal(negotiate(offer(entry), wanted).extendedNextHop, true);
    assert.equal(negotiate(offer(entry), parameters).extendedNextHop, false);
    assert.equal(negotiate(open, wanted).extendedNextHop, false);
    assert.equal(negotiate(offer({ ...entry, afi: 2 }), wanted).extendedNextHop, false);
    assert.equal(negotiate(offer({ ...entry, nextHopAfi: 1 }), wanted).extendedNextHop, false);
    const told = (own: SessionParameters) =>
      localOpen(own, false).capabilities.some(({ kind }) => kind === "extended-next-hop");
    assert.deepEqual([told(wanted), told(parameters)], [true, false]);
  });

  const pairs = [
    "customer provider",
    "provider customer",
    "rs rs-client",
    "rs-client rs",
    "peer peer",
  ];
  const roles = ["provider", "rs", "rs-client", "customer", "peer", "unknown"] as const;
  for (const role of roles) {
    if (role === "unknown") continue;
    it(`as ${role} takes the counterpart, and a peer without a role unless it is strict (RFC 9234)`, () => {
      for (const theirs of roles) {
        const capabilities = [{ kind: "role" as const, role: theirs }];
        const expected = pairs.includes(`${role} ${theirs}`) ? /^accepted$/ : /Role Mismatch/;
        assert.match(refused({ capabilities }, { role }), expected, theirs);
      }
      const two = roles.map((each) => ({ kind: "role" as const, role: each }));
      assert.match(refused({ capabilities: two }, { role }), /tells the role .* and /);
      assert.equal(refused({}, { role }), "accepted");
      assert.match(refused({}, { role, strictRole: true }), /tells no role where we are/);
    });
  }

  it("tells its role to external peers alone, and does not ask internal ones", () => {
    const told = (own: SessionParameters) =>
      localOpen(own, false).capabilities.filter(({ kind }) => kind === "role");
    assert.deepEqual(told({ ...parameters, role: "rs" }), [{ kind: "role", role: "rs" }]);
    assert.deepEqual(told({ ...parameters, remoteAs: 64512, role: "rs" }), []);
    assert.deepEqual(told(parameters), []);
    const inside = { role: "peer", strictRole: true, remoteAs: 64512 } as const;
    assert.equal(refused({ as: 64512 }, inside), "accepted");
  });
});
