/** What the figures of the BGP benchmark are held to. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bgpCases } from "./bgp-cases.ts";
import { caseRows } from "./bgp-rows.ts";
import type { Figures, Outcome, Outcomes } from "./bgp-run.ts";

const [table] = bgpCases(0.004, ["announce"]);
const [churn] = bgpCases(0.004, ["churn"]);

const measured = (figures: Partial<Figures>): Outcome => ({
  kind: "measured",
  figures: {
    ...{ seconds: 1, silenceMs: 900, trafficCpuSeconds: 1, cpuSeconds: 1, waitedSeconds: 0 },
    ...{ beforeBytes: 2 ** 20, peakBytes: 2 ** 21, halvesBytes: [2 ** 20, 2 ** 21] },
    ...figures,
  },
});
const round = (figures: Partial<Figures>): Outcomes => new Map([["announce", measured(figures)]]);
const all = (...rounds: Partial<Figures>[]) => rounds.map(round);
const late: readonly Outcomes[] = [new Map([["announce", { kind: "late", patienceSeconds: 9 }]])];
const rowsOf = (
  ...subjects: (readonly ["switchyard" | "bird" | "frr" | "gobgp", readonly Outcomes[]])[]
) => caseRows(table!, new Map(subjects));

describe("rows of the BGP benchmark", () => {
  it("hold ours against each other subject", () => {
    const others = [
      ["bird", all({ seconds: 1 })] as const,
      ["frr", all({ seconds: 1.4 })] as const,
    ];
    const rows = rowsOf(["switchyard", all({ seconds: 1.4 })], ...others);
    const times = rows.filter(({ metric }) => metric === "until the last route");
    const verdicts = times.map(({ peer, ratio, pass }) => [peer, ratio, pass]);
    assert.deepEqual(verdicts, [
      ["bird", 1.4, true],
      ["frr", 1, false],
    ]);
    const [before] = rows.filter(({ metric }) => metric === "memory before");
    const [peak] = rows.filter(({ metric }) => metric === "peak memory");
    assert.deepEqual([before?.value, peak?.value, peak?.budget], [1, 2, "ratio <= 3"]);
    assert.ok(rows.every(({ range }) => range === undefined));
  });

  it("only tell of a subject without ours beside it", () => {
    const [row] = rowsOf(["bird", all({ seconds: 500 })]);
    assert.deepEqual([row?.metric, row?.pass], ["until the last route of bird", true]);
    const [alone] = rowsOf(["switchyard", all({ silenceMs: 2001 })]).filter(
      ({ metric }) => metric === "keepalive delay",
    );
    assert.deepEqual([alone?.value, alone?.budget, alone?.pass], [1001, "<= 1000", false]);
  });

  it("take the median of several rounds, of the keepalive delay the worst", () => {
    const ours = all(
      { seconds: 3, silenceMs: 1800 },
      { seconds: 1, silenceMs: 2500 },
      { seconds: 2 },
    );
    const rows = rowsOf(["switchyard", ours], ["bird", all({ seconds: 1 }, { seconds: 2 })]);
    const find = (name: string) => rows.find(({ metric }) => metric === name)!;
    const time = find("until the last route");
    assert.deepEqual([time.value, time.range], [2, [1, 3]]);
    assert.deepEqual([time.peerValue, time.peerRange], [1.5, [1, 2]]);
    const delay = find("keepalive delay");
    assert.deepEqual([delay.value, delay.range, delay.pass], [1500, [0, 1500], false]);
    assert.equal(delay.peerRange, undefined);
  });

  it("tell of a subject that was given up, and hold ours to the time it had", () => {
    const rows = rowsOf(["switchyard", all({ seconds: 2 })], ["gobgp", late]);
    const row = rows.find(({ peer }) => peer !== "")!;
    assert.deepEqual([row.peer, row.peerValue, row.pass], ["gobgp: not within 9 s", 9, true]);
    const slow = rowsOf(["switchyard", all({ seconds: 10 })], ["gobgp", late]);
    assert.equal(slow.find(({ peer }) => peer !== "")?.pass, false);
    // Ours is told as if alone, with what it is held to by itself.
    assert.ok(rows.some(({ metric, budget }) => metric === "keepalive delay" && budget !== ""));
  });

  it("tell why a subject failed, and that ours did", () => {
    const outcome: Outcome = { kind: "failed", words: "the subject ended: 127" };
    const failed: readonly Outcomes[] = [new Map([["announce", outcome]])];
    const [theirs] = rowsOf(["switchyard", all({})], ["frr", failed]).filter(({ peer }) => peer);
    assert.deepEqual([theirs?.peer, theirs?.pass], ["frr: the subject ended: 127", true]);
    for (const bad of [failed, late]) {
      const [ours] = rowsOf(["switchyard", bad], ["bird", all({})]);
      assert.equal(ours?.pass, false);
      assert.match(ours?.metric ?? "", /^until the last route: (the subject|not within)/);
    }
  });

  it("tell of growth where the same is done again and again", () => {
    const outcomes: Outcomes = new Map([
      ["announce", measured({})],
      ["churn", measured({ halvesBytes: [100, 150] })],
    ]);
    const rows = caseRows(churn!, new Map([["switchyard", [outcomes]]]));
    const growth = rows.filter(({ metric }) => metric.startsWith("peak of the second half"));
    assert.deepEqual(
      growth.map(({ case: of, value }) => [of, value]),
      [["table 1 x 2000: churn", 1.5]],
    );
  });
});
