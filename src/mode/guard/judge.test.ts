/** Mutations tried by hand: each comparison turned or loosened, each margin left out; every one fails a row. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { blindPaths, type GuardWindow, judgeWindow, type PathReport } from "./judge.ts";
import type { PathCount } from "./ledger.ts";
import { counterRules, deviceRules } from "./thresholds.ts";

const good: PathCount = { sent: 60, answered: 60, lost: 0, longestGapMs: 0, lostInARow: 0 };
const path = (changes: Partial<PathReport>): PathReport => ({
  ...{ node: "node2", address: "10.244.2.9", kind: "echo", before: good, since: good },
  ...changes,
});
const calm: GuardWindow = {
  paths: [path({})],
  before: { counters: {}, ms: 3_000 },
  now: { counters: {}, ms: 5_000 },
  sessions: [],
  still: false,
  lostStill: new Map(),
};
const texts = (window: Partial<GuardWindow>) =>
  judgeWindow({ ...calm, ...window }).map(({ breach: { kind, node, message } }) =>
    [kind, ...(node === undefined ? [] : [node]), message].join(" | "),
  );
const kindsOf = (window: Partial<GuardWindow>) =>
  judgeWindow({ ...calm, ...window }).map(({ breach }) => breach.kind);
const since = (changes: Partial<PathCount>) => ({ ...good, ...changes });

describe("paths", () => {
  test("one packet lost is a breach, and is told with its numbers", () => {
    const lost = path({
      since: since({ sent: 120, answered: 119, lost: 1, longestGapMs: 100, lostInARow: 0 }),
      said: "host unreachable, by 172.139.20.1",
    });
    assert.deepEqual(texts({ paths: [lost] }), [
      "probe-loss | node2 | 1 of 120 packets to node2 (10.244.2.9) brought no answer; for at most 100 ms; " +
        "before anything moved 0 of 60; last said: host unreachable, by 172.139.20.1",
    ]);
  });

  const rows: readonly [string, Partial<PathReport>, number][] = [
    ["nothing lost", {}, 0],
    ["one of full size lost", { kind: "full", since: since({ lost: 1 }) }, 1],
    [
      "never an answer: nothing to hold it against",
      { before: since({ sent: 0, answered: 0 }), since: since({ lost: 60 }) },
      0,
    ],
    ["two knocks in a row", { kind: "knock", since: since({ lost: 9, lostInARow: 2 }) }, 0],
    ["three knocks in a row", { kind: "knock", since: since({ lost: 3, lostInARow: 3 }) }, 1],
    [
      "a path that lost before may go on so: 3 + 2 x 6/60 x 60",
      { before: since({ answered: 54, lost: 6 }), since: since({ lost: 15 }) },
      0,
    ],
    [
      "but not do worse",
      { before: since({ answered: 54, lost: 6 }), since: since({ lost: 16 }) },
      1,
    ],
  ];
  for (const [name, changes, breaches] of rows) {
    test(name, () => assert.equal(kindsOf({ paths: [path(changes)] }).length, breaches));
  }

  test("who did not answer before is named as not watched, and nobody else", () => {
    const silent = path({ kind: "knock", before: since({ answered: 0 }) });
    assert.deepEqual(blindPaths([silent, path({})]), [
      "node2 (10.244.2.9) did not answer UDP before anything moved: not watched",
    ]);
  });

  test("a clean path: a breach if and only if something is lost", () => {
    fc.assert(
      fc.property(fc.nat({ max: 500 }), fc.nat({ max: 100_000 }), (lost, answered) => {
        const paths = [path({ since: since({ sent: lost + answered, answered, lost }) })];
        assert.equal(kindsOf({ paths }).length, lost > 0 ? 1 : 0);
      }),
    );
  });
});

describe("counters", () => {
  const all = [
    ...Object.entries(counterRules),
    ...Object.entries(deviceRules).map(([name, rule]) => [`eth0 ${name}`, rule] as const),
  ];
  for (const [name, { kind, factor, margin }] of all) {
    test(`${name}: ${factor} times what was usual and ${margin}, no more`, () => {
      const before = { counters: { [name]: 300 }, ms: 3_000 };
      const allowed = factor * 500 + margin;
      const now = (value: number) => ({ counters: { [name]: value }, ms: 5_000 });
      assert.deepEqual(kindsOf({ before, now: now(allowed) }), []);
      assert.deepEqual(kindsOf({ before, now: now(allowed + 1) }), [kind]);
    });
  }

  test("a counter without a rule is nobody's breach", () => {
    const now = { counters: { "Tcp.OutSegs": 1e9, "eth0 rxPackets": 1e9 }, ms: 5_000 };
    assert.deepEqual(kindsOf({ now }), []);
  });

  test("what it says", () => {
    const before = { counters: { "Ip.OutNoRoutes": 6 }, ms: 3_000 };
    const now = { counters: { "Ip.OutNoRoutes": 2_000 }, ms: 5_000 };
    assert.deepEqual(texts({ before, now }), [
      "no-route | 2000 packets of the host had no route in 5 s (Ip.OutNoRoutes); usual were 10",
    ]);
  });

  const segments = (again: number, sent: number) => ({
    "Tcp.RetransSegs": again,
    "Tcp.OutSegs": sent,
  });
  const retransmits: readonly [string, Record<string, number>, Record<string, number>, number][] = [
    ["few, whatever share", segments(0, 1_000), segments(50, 50), 0],
    ["many, a small share", segments(0, 1_000), segments(500, 10_000), 0],
    ["many, a large share", segments(0, 1_000), segments(501, 10_000), 1],
    ["a host that always does that", segments(100, 1_000), segments(3_500, 10_000), 0],
    ["and now does worse", segments(100, 1_000), segments(3_501, 10_000), 1],
    ["nothing known of before", {}, segments(600, 10_000), 1],
  ];
  for (const [name, before, now, breaches] of retransmits) {
    test(`segments sent again: ${name}`, () => {
      const kinds = kindsOf({
        before: { counters: before, ms: 3_000 },
        now: { counters: now, ms: 5_000 },
      });
      assert.deepEqual(kinds, breaches === 1 ? ["retransmits"] : []);
    });
  }
});

test("a session that comes back within seconds is none; one that does not is named", () => {
  const session = { peer: "172.139.20.1", info: "Idle (Hold Timer Expired)" };
  assert.deepEqual(texts({ sessions: [{ ...session, downMs: 4_999 }] }), []);
  assert.deepEqual(texts({ sessions: [{ ...session, downMs: 5_000 }] }), [
    "bgp | the BGP session with 172.139.20.1 was Established, and has been Idle (Hold Timer Expired) for 5 s",
  ]);
});

test("the same breach has the same key whatever its numbers; different ones have different keys", () => {
  const window = (lost: number): GuardWindow => ({
    ...calm,
    paths: (["echo", "full"] as const).map((kind) => path({ kind, since: since({ lost }) })),
    now: { counters: { "Ip.OutNoRoutes": lost * 100, "conntrack.invalid": lost * 100 }, ms: 5_000 },
    sessions: [{ peer: "172.139.20.1", downMs: lost * 5_000, info: "Idle" }],
  });
  const keys = (lost: number) => judgeWindow(window(lost)).map(({ key }) => key);
  assert.deepEqual(keys(1), keys(2));
  assert.equal(new Set(keys(1)).size, 5);
});
