import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PathReport } from "./judge.ts";
import type { PathCount } from "./ledger.ts";
import { type GuardEvidence, type GuardSight, GuardWatch, type GuardWord } from "./watch.ts";

const count = (changes: Partial<PathCount> = {}): PathCount => ({
  ...{ sent: 60, answered: 60, lost: 0, longestGapMs: 0, lostInARow: 0 },
  ...changes,
});
const path = (since: Partial<PathCount> = {}): PathReport => ({
  ...{ node: "node2", address: "10.244.2.9", kind: "echo", before: count(), since: count(since) },
});

class Bench {
  readonly watch: GuardWatch;
  nowMs = 0;
  sight: Omit<GuardSight, "nowMs"> = {
    ...{ step: 1, moving: false, unmoved: [], paths: [path()], counters: {} },
    ...{ sessions: [], unprobed: [] },
    probes: { sent: 0, lost: 0, rttP50Us: 0, rttP99Us: 0, longestGapMs: 0 },
  };
  readonly told: GuardWord[] = [];
  last: GuardWord | undefined;

  constructor(before?: GuardEvidence) {
    this.watch = new GuardWatch({ nowMs: 0, before });
  }

  /** A look every half second, the first at once. */
  run(forMs: number, changes: Partial<GuardSight> = {}): GuardWord {
    this.sight = { ...this.sight, ...changes };
    const untilMs = this.nowMs + forMs;
    for (; this.nowMs <= untilMs; this.nowMs += 500) {
      this.last = this.watch.look({ ...this.sight, nowMs: this.nowMs });
      if (this.last.tell) this.told.push(this.last);
    }
    return this.last as GuardWord;
  }

  get toldQuiet(): readonly (readonly [number, boolean])[] {
    return this.told.map(({ guard }) => [guard.step, guard.quiet]);
  }
}

describe("the course of a guard", () => {
  test("says once that a step is quiet: 4.5 s after everybody has moved", () => {
    const bench = new Bench();
    bench.run(10_000);
    assert.deepEqual(bench.toldQuiet, [[1, true]]);
    bench.run(20_000, { step: 2, moving: true, unmoved: ["node2"] });
    assert.deepEqual(bench.toldQuiet, [[1, true]], "node2 has not moved yet");
    bench.run(4_000, { unmoved: [] });
    assert.deepEqual(bench.toldQuiet, [[1, true]]);
    bench.run(10_000);
    assert.deepEqual(bench.toldQuiet, [
      [1, true],
      [2, true],
    ]);
  });

  test("a breach is told once, and nothing is quiet after it", () => {
    const bench = new Bench();
    bench.run(5_000);
    bench.run(1_000, { step: 2, moving: true, paths: [path({ lost: 1 })] });
    bench.run(10_000, { paths: [path({ lost: 7 })] });
    assert.deepEqual(bench.toldQuiet, [
      [1, true],
      [2, false],
    ]);
    assert.equal(bench.last?.guard.breaches.length, 1);
    bench.run(10_000, { step: 3 });
    assert.equal(bench.told.length, 2);
  });

  test("what is seen before anything moves is what is usual, and the move ends that at once", () => {
    const bench = new Bench();
    bench.run(500, { paths: [path({ lost: 5 })] });
    assert.equal(bench.told.length, 0);
    const word = bench.run(0, { step: 2, moving: true });
    assert.equal(word.baselineEnded, true);
    bench.run(0);
    assert.equal(bench.told[0]?.guard.breaches.length, 1, "from then on it counts");
  });

  test("single losses before anything moves are no harm of the move, and usual from then on", () => {
    const bench = new Bench();
    bench.run(4_000);
    bench.run(6_000, { paths: [path({ lost: 1 })] });
    assert.deepEqual(bench.toldQuiet, [[1, true]]);
    bench.run(1_000, { step: 2, moving: true });
    assert.deepEqual(bench.last?.guard.breaches, []);
    // Three, and twice the share of one in 60.
    bench.run(1_000, { paths: [path({ lost: 6 })] });
    assert.deepEqual(bench.last?.guard.breaches, []);
    const { guard } = bench.run(1_000, { paths: [path({ lost: 7 })] });
    assert.match(guard.breaches[0]?.message ?? "", /^7 of 60 .* before anything moved 1 of 60/);
    const broken = new Bench();
    broken.run(4_000);
    broken.run(1_000, { paths: [path({ lost: 4 })] });
    assert.equal(broken.last?.guard.breaches.length, 1, "a path that breaks is none to move on");
    const other = new Bench();
    other.run(4_000);
    other.run(1_000, { step: 2, moving: true, paths: [path({ lost: 1 })] });
    assert.equal(other.last?.guard.breaches.length, 1, "once somebody moves one is enough");
  });

  test("a guard that begins amid moves takes its three seconds all the same", () => {
    const bench = new Bench();
    assert.equal(bench.run(2_500, { moving: true }).baselineEnded, false);
    assert.equal(bench.run(0).baselineEnded, true);
  });

  test("counters are held against their rate before the move, over the last seconds only", () => {
    const bench = new Bench();
    let total = 1_000_000;
    const grow = (perLook: number, looks: number) => {
      for (let i = 0; i < looks; i++) {
        total += perLook;
        bench.run(0, { counters: { "Ip.OutNoRoutes": total } });
      }
    };
    grow(10, 12);
    bench.sight = { ...bench.sight, step: 2, moving: true };
    grow(10, 200);
    assert.deepEqual(bench.last?.guard.breaches, []);
    assert.ok((bench.last?.guard.counters["Ip.OutNoRoutes"] ?? 0) > 2_000);
    grow(60, 4);
    assert.deepEqual(
      bench.last?.guard.breaches.map(({ kind }) => kind),
      ["no-route"],
    );
  });

  test("what was sent before the move does not hide what is sent again after it", () => {
    const bench = new Bench();
    const at = (sent: number, again: number, changes: Partial<GuardSight> = {}) =>
      bench.run(0, {
        counters: { "Tcp.OutSegs": sent, "Tcp.RetransSegs": again },
        ...changes,
      }).guard.breaches.length;
    for (let i = 0; i <= 6; i++) at(10_000 * i, 0);
    assert.equal(at(61_000, 100, { step: 2, moving: true }), 1);
  });

  test("what cannot be watched at all is never quiet, and is told once", () => {
    const bench = new Bench();
    bench.run(20_000, { impossible: "no probes can be sent: Operation not permitted" });
    assert.deepEqual(bench.toldQuiet, [[1, false]]);
    assert.deepEqual(bench.last?.guard.blind, ["no probes can be sent: Operation not permitted"]);
    bench.run(5_000, { impossible: undefined });
    assert.deepEqual(bench.toldQuiet.at(-1), [1, true]);
  });

  test("an agent that starts again keeps the breaches of before, and says that it began anew", () => {
    const first = new Bench();
    first.run(5_000);
    const { guard } = first.run(1_000, { step: 2, moving: true, paths: [path({ lost: 1 })] });
    const next = new Bench(guard);
    const word = next.run(10_000, { step: 2, moving: true });
    assert.deepEqual(word.guard.breaches, guard.breaches);
    assert.equal(word.guard.quiet, false);
    assert.match(word.guard.blind?.[0] ?? "", /started again after step 2/);
  });
});
