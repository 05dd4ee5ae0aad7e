import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ProbeLedger, totalCounts } from "./ledger.ts";

test("a probe that never comes is lost in the window it was sent in", () => {
  const ledger = new ProbeLedger(1);
  ledger.send(0);
  ledger.advance(10);
  const second = ledger.send(0);
  ledger.receive(0, { window: 1, sequence: second, nowMs: 11 });
  assert.equal(ledger.counts(0)[0]?.lost, 1);
  assert.equal(ledger.counts(1)[0]?.lost, 0);
});

test("a probe that comes after its window ended is not lost", () => {
  const ledger = new ProbeLedger(1);
  const sequence = ledger.send(0);
  ledger.advance(10);
  ledger.receive(0, { window: 0, sequence, nowMs: 20 });
  assert.deepEqual([ledger.counts(0)[0]?.lost, ledger.counts(0)[0]?.received], [0, 1]);
});

test("a duplicate does not make up for a loss, and a stray datagram counts for nothing", () => {
  const ledger = new ProbeLedger(1);
  const first = ledger.send(0);
  ledger.send(0);
  ledger.receive(0, { window: 0, sequence: first, nowMs: 1 });
  ledger.receive(0, { window: 0, sequence: first, nowMs: 2 });
  ledger.receive(0, { window: 0, sequence: 99, nowMs: 3 });
  ledger.receive(7, { window: 0, sequence: 1, nowMs: 3 });
  const [counts] = ledger.counts(0);
  assert.deepEqual([counts?.received, counts?.duplicated, counts?.lost], [1, 1, 1]);
});

test("the gap of a pair that has gone silent grows until its window ends", () => {
  const ledger = new ProbeLedger(2);
  for (const pair of [0, 1])
    ledger.receive(pair, { window: 0, sequence: ledger.send(pair), nowMs: 0 });
  ledger.receive(0, { window: 0, sequence: ledger.send(0), nowMs: 5 });
  ledger.advance(70);
  assert.deepEqual(
    ledger.counts(0).map((counts) => counts.maxGapMs),
    [65, 70],
  );
});

test("whatever order probes arrive in, received and lost add up to sent", () => {
  const arrivals = fc.array(fc.record({ keep: fc.boolean(), rank: fc.nat() }), { maxLength: 200 });
  fc.assert(
    fc.property(arrivals, (probes) => {
      const ledger = new ProbeLedger(1);
      const sent = probes.map((probe) => ({ ...probe, sequence: ledger.send(0) }));
      const arriving = sent.filter((probe) => probe.keep).sort((a, b) => a.rank - b.rank);
      for (const { sequence } of arriving) ledger.receive(0, { window: 0, sequence, nowMs: 1 });
      const total = totalCounts(ledger.counts(0));
      assert.deepEqual(
        [total.sent, total.received, total.lost],
        [probes.length, arriving.length, probes.length - arriving.length],
      );
      let highest = 0;
      let overtaken = 0;
      for (const { sequence } of arriving) {
        if (sequence < highest) overtaken++;
        highest = Math.max(highest, sequence);
      }
      assert.equal(total.reordered, overtaken);
    }),
  );
});
