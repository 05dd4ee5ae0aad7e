/** The session as a table: own state, what comes, new state and what is sent; and the rules on intervals. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type BfdEvent,
  type BfdStep,
  type BfdVariables,
  detectionTimeUs,
  initialVariables,
  step,
  transmitIntervalUs,
} from "./machine.ts";
import type { BfdPacket, BfdState } from "./packet.ts";

const parameters = { desiredMinTxUs: 300_000, requiredMinRxUs: 200_000, detectMultiplier: 3 };
const OURS = 7;
const THEIRS = 9;

function packet(state: BfdState, more: Partial<BfdPacket> = {}): BfdEvent {
  return {
    kind: "packet",
    packet: {
      ...{ diagnostic: 0, state, poll: false, final: false, demand: false },
      ...{ controlPlaneIndependent: false, detectMultiplier: 5 },
      ...{ myDiscriminator: THEIRS, yourDiscriminator: OURS },
      ...{ desiredMinTxUs: 400_000, requiredMinRxUs: 100_000 },
      ...more,
    },
  };
}

function play(events: readonly BfdEvent[], from = initialVariables(OURS, parameters)): BfdStep {
  let last: BfdStep = { variables: from };
  for (const event of events) last = step(last.variables, event, parameters);
  return last;
}

const expired: BfdEvent = { kind: "detection-time-expired" };
const transmit: BfdEvent = { kind: "transmit" };
const paths: Record<BfdState, readonly BfdEvent[]> = {
  AdminDown: [{ kind: "disable" }],
  Down: [],
  Init: [packet("Down")],
  Up: [packet("Down"), packet("Init")],
};
const events: Record<string, BfdEvent> = {
  AdminDown: packet("AdminDown"),
  Down: packet("Down"),
  Init: packet("Init"),
  Up: packet("Up"),
  silence: expired,
  disable: { kind: "disable" },
};

// Section 6.2 and 6.8.6; `send` where the state has changed, with the diagnostic.
const rows: readonly [from: BfdState, event: string, to: string][] = [
  ["Down", "AdminDown", "Down"],
  ["Down", "Down", "Init, send 0"],
  ["Down", "Init", "Up, send 0 polling"],
  ["Down", "Up", "Down"],
  ["Down", "silence", "Down"],
  ["Init", "AdminDown", "Down, send 3"],
  ["Init", "Down", "Init"],
  ["Init", "Init", "Up, send 0 polling"],
  ["Init", "Up", "Up, send 0 polling"],
  ["Init", "silence", "Down, send 1"],
  ["Up", "AdminDown", "Down, send 3 polling"],
  ["Up", "Down", "Down, send 3 polling"],
  ["Up", "Init", "Up"],
  ["Up", "Up", "Up"],
  ["Up", "silence", "Down, send 1"],
  ["Up", "disable", "AdminDown, send 7"],
  ["AdminDown", "AdminDown", "AdminDown"],
  ["AdminDown", "Down", "AdminDown"],
  ["AdminDown", "Init", "AdminDown"],
  ["AdminDown", "Up", "AdminDown"],
  ["AdminDown", "silence", "AdminDown"],
];

describe("BFD state machine", () => {
  for (const [from, event, expected] of rows) {
    it(`${from}, ${event}`, () => {
      const { variables, send } = play([...paths[from], events[event]!]);
      const sent = send ? `, send ${send.diagnostic}${send.poll ? " polling" : ""}` : "";
      assert.equal(`${variables.state}${sent}`, expected);
      if (send) assert.equal(send.state, variables.state);
    });
  }

  it("answers a poll at once, whatever the state, and never polls in the answer (section 6.5)", () => {
    for (const from of ["Down", "Init", "Up"] as const) {
      const { send } = play([...paths[from], packet("Down", { poll: true })]);
      assert.deepEqual([send?.final, send?.poll], [true, false], from);
      assert.equal(send?.yourDiscriminator, THEIRS);
    }
    assert.equal(play([...paths.AdminDown, packet("Down", { poll: true })]).send, undefined);
  });

  it("forgets the other end after silence, so that it may begin anew (section 6.8.1)", () => {
    const { variables, send } = play([...paths.Up, expired]);
    assert.equal(variables.remoteDiscriminator, 0);
    assert.equal(send?.yourDiscriminator, 0);
    assert.equal(variables.remoteState, "Down");
    assert.equal(
      play([...paths.Init, packet("AdminDown"), expired]).variables.remoteDiscriminator,
      0,
    );
  });

  it("tells that its BFD ends with its control plane, takes no echo and asks for no demand mode", () => {
    const { send } = play([...paths.Up, transmit]);
    assert.equal(send?.controlPlaneIndependent, false);
    assert.equal(send?.demand, false);
  });
});

describe("BFD intervals", () => {
  const up = play(paths.Up).variables;
  const confirmed = play([packet("Up", { final: true })], up).variables;

  it("are a second at least until the session is Up (section 6.8.3)", () => {
    for (const from of ["Down", "Init"] as const) {
      const { variables, send } = play([...paths[from], transmit]);
      assert.equal(transmitIntervalUs(variables), 1_000_000);
      assert.equal(send?.desiredMinTxUs, 1_000_000);
    }
    assert.equal(transmitIntervalUs(up), 300_000);
    assert.equal(play([transmit], up).send?.desiredMinTxUs, 300_000);
    const down = play([packet("Down")], up).variables;
    assert.equal(transmitIntervalUs(down), 1_000_000);
  });

  it("are those of the slower side (sections 6.8.2 and 6.8.4)", () => {
    const slow = play([packet("Up", { requiredMinRxUs: 900_000 })], up).variables;
    assert.equal(transmitIntervalUs(slow), 900_000);
    assert.equal(detectionTimeUs(slow), 5 * 400_000);
    const fast = play([packet("Up", { desiredMinTxUs: 10, detectMultiplier: 2 })], up).variables;
    assert.equal(detectionTimeUs(fast), 2 * 200_000);
  });

  it("end where the other side wants nothing, or nothing unasked while both are Up", () => {
    const silent = play([packet("Up", { requiredMinRxUs: 0 })], up).variables;
    assert.equal(transmitIntervalUs(silent), undefined);
    const demand = play([packet("Up", { demand: true })], confirmed).variables;
    assert.equal(transmitIntervalUs(demand), undefined);
    const asking = play([packet("Up", { demand: true })], up).variables;
    assert.equal(transmitIntervalUs(asking), 300_000, "a poll sequence runs");
    const init = play([packet("Init", { demand: true })], confirmed).variables;
    assert.equal(transmitIntervalUs(init), 300_000, "the other side is not Up");
  });

  it("that change are asked about until the answer comes (section 6.5)", () => {
    assert.equal(play([transmit], up).send?.poll, true);
    assert.equal(play([packet("Up"), transmit], up).send?.poll, true);
    assert.equal(play([transmit], confirmed).send?.poll, false);
  });

  const change = (from: BfdVariables, more: Partial<typeof parameters>) =>
    step(from, { kind: "parameters" }, { ...parameters, ...more }).variables;

  it("that grow are kept shorter for sending until the other side knows (section 6.8.3)", () => {
    const slower = change(confirmed, { desiredMinTxUs: 600_000 });
    assert.equal(transmitIntervalUs(slower), 300_000);
    const known = step(slower, packet("Up", { final: true }), parameters).variables;
    assert.equal(transmitIntervalUs(known), 600_000);
    const faster = change(confirmed, { desiredMinTxUs: 100_000 });
    assert.equal(transmitIntervalUs(faster), 100_000);
  });

  it("that shrink are kept longer for detection until the other side knows (section 6.8.3)", () => {
    const eager = play([packet("Up", { desiredMinTxUs: 1 })], confirmed).variables;
    const less = change(eager, { requiredMinRxUs: 50_000 });
    assert.equal(detectionTimeUs(less), 5 * 200_000);
    const known = step(less, packet("Up", { final: true, desiredMinTxUs: 1 }), parameters);
    assert.equal(detectionTimeUs(known.variables), 5 * 50_000);
  });

  it("that change once more while they are asked about are asked about once more", () => {
    const once = change(confirmed, { desiredMinTxUs: 600_000 });
    const more = { ...parameters, desiredMinTxUs: 900_000 };
    const twice = step(once, { kind: "parameters" }, more).variables;
    const first = step(twice, packet("Up", { final: true }), more).variables;
    assert.equal(first.poll, "asking");
    assert.equal(transmitIntervalUs(first), 300_000);
    const second = step(first, packet("Up", { final: true }), more).variables;
    assert.deepEqual([second.poll, transmitIntervalUs(second)], ["none", 900_000]);
  });

  it("are not asked about where nobody is there to answer", () => {
    const alone = change(initialVariables(OURS, parameters), { requiredMinRxUs: 50_000 });
    assert.equal(step(alone, transmit, parameters).send?.poll, false);
  });
});

describe("two BFD machines", () => {
  it("that hear each other come Up, whatever was lost or stopped before", () => {
    const happening = fc.record({
      end: fc.constantFrom(0, 1),
      what: fc.constantFrom("talk" as const, "talk" as const, "lose" as const, "silence" as const),
    });
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 40 }), (happenings) => {
        const ends = [initialVariables(1, parameters), initialVariables(2, parameters)];
        const dispatch = (end: number, event: BfdEvent, arrives: boolean, depth = 0): void => {
          const { variables, send } = step(ends[end]!, event, parameters);
          ends[end] = variables;
          if (send === undefined || !arrives) return;
          assert.ok(depth < 20, "they talk for ever");
          assert.ok(!(send.poll && send.final));
          const known = send.yourDiscriminator !== 0 || send.state === "Down";
          assert.ok(known, `${send.state} towards nobody`);
          dispatch(1 - end, { kind: "packet", packet: send }, true, depth + 1);
        };
        for (const { end, what } of happenings) {
          dispatch(end, what === "silence" ? expired : transmit, what === "talk");
        }
        for (let i = 0; i < 4; i++) for (const end of [0, 1]) dispatch(end, transmit, true);
        assert.deepEqual(
          ends.map(({ state, remoteState, poll }) => [state, remoteState, poll]),
          [
            ["Up", "Up", "none"],
            ["Up", "Up", "none"],
          ],
        );
      }),
      { numRuns: 300 },
    );
  });
});
