import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { LOST_AFTER_MS, PathLedger } from "./ledger.ts";

describe("the ledger of a path", () => {
  test("a probe is lost when its time is over, and not before", () => {
    const ledger = new PathLedger();
    ledger.sent(1, 0);
    ledger.expire(LOST_AFTER_MS - 1);
    assert.equal(ledger.count().lost, 0);
    ledger.expire(LOST_AFTER_MS);
    assert.deepEqual(ledger.count(), {
      ...{ sent: 1, answered: 0, lost: 1, lostInARow: 1, longestGapMs: 0 },
    });
    assert.equal(ledger.answered(1, LOST_AFTER_MS + 1), undefined, "too late is lost");
  });

  test("an answer gives the round trip, once", () => {
    const ledger = new PathLedger();
    ledger.sent(1, 10);
    assert.equal(ledger.answered(1, 10.25), 0.25);
    assert.equal(ledger.answered(1, 11), undefined);
    assert.equal(ledger.answered(2, 11), undefined);
    assert.equal(ledger.count().answered, 1);
  });

  test("a pause of ours is no loss of those that were on their way", () => {
    const ledger = new PathLedger();
    ledger.sent(1, 0);
    ledger.excuse(2_000);
    ledger.sent(2, 2_000);
    ledger.expire(2_999);
    assert.equal(ledger.count().lost, 0);
    ledger.expire(3_000);
    assert.equal(ledger.count().lost, 2);
  });

  test("the gap is between the answered probes around the lost ones, whatever order their fate is known in", () => {
    const ledger = new PathLedger();
    for (let at = 0; at <= 500; at += 50) ledger.sent(at, at);
    for (const at of [0, 50, 100, 300, 350, 400, 450, 500]) ledger.answered(at, at + 1);
    assert.equal(ledger.count().longestGapMs, 0);
    ledger.expire(2_000);
    assert.equal(ledger.count().lost, 3);
    assert.equal(ledger.count().longestGapMs, 200);
  });

  test("as long as nothing comes, the gap grows; probes in a row are counted", () => {
    const ledger = new PathLedger();
    ledger.sent(1, 0);
    ledger.answered(1, 1);
    for (let i = 2; i <= 5; i++) ledger.refused(i * 100);
    assert.deepEqual([ledger.count().longestGapMs, ledger.count().lostInARow], [500, 4]);
    ledger.sent(9, 600);
    ledger.answered(9, 601);
    assert.deepEqual([ledger.count().longestGapMs, ledger.count().lostInARow], [600, 0]);
  });

  test("a new account begins with what is on its way", () => {
    const ledger = new PathLedger();
    ledger.sent(1, 0);
    ledger.answered(1, 1);
    ledger.refused(5);
    ledger.sent(2, 10);
    assert.deepEqual(ledger.split(), {
      ...{ sent: 2, answered: 1, lost: 1, lostInARow: 1, longestGapMs: 5 },
    });
    assert.equal(ledger.count().sent, 1);
    ledger.expire(5_000);
    assert.deepEqual([ledger.count().sent, ledger.count().lost], [1, 1]);
  });

  test("nothing is counted twice or forgotten, whatever happens in whatever order", () => {
    const event = fc.oneof(
      fc.record({ kind: fc.constant("sent" as const) }),
      fc.record({ kind: fc.constant("answered" as const), which: fc.nat({ max: 30 }) }),
      fc.record({ kind: fc.constant("failed" as const), which: fc.nat({ max: 30 }) }),
      fc.record({ kind: fc.constant("refused" as const) }),
      fc.record({ kind: fc.constant("wait" as const), ms: fc.nat({ max: 700 }) }),
      fc.record({ kind: fc.constant("pause" as const), ms: fc.nat({ max: 3_000 }) }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), (events) => {
        const ledger = new PathLedger();
        /** The simple version: every probe with its deadline. */
        const open = new Map<number, number>();
        let nowMs = 0;
        let sequence = 0;
        const expected = { sent: 0, answered: 0, lost: 0 };
        for (const one of events) {
          if (one.kind === "sent") {
            ledger.sent(sequence, nowMs);
            open.set(sequence++, nowMs + LOST_AFTER_MS);
            expected.sent++;
          } else if (one.kind === "refused") {
            ledger.refused(nowMs);
            expected.sent++;
            expected.lost++;
          } else if (one.kind === "answered") {
            const known = open.delete(one.which);
            assert.equal(ledger.answered(one.which, nowMs) !== undefined, known);
            if (known) expected.answered++;
          } else if (one.kind === "failed") {
            const known = open.delete(one.which);
            assert.equal(ledger.failed(one.which), known);
            if (known) expected.lost++;
          } else {
            nowMs += one.ms;
            if (one.kind === "pause") {
              ledger.excuse(one.ms);
              for (const [which, deadlineMs] of open) open.set(which, deadlineMs + one.ms);
            }
            ledger.expire(nowMs);
            for (const [which, deadlineMs] of open) {
              if (deadlineMs > nowMs) continue;
              open.delete(which);
              expected.lost++;
            }
          }
          const { sent, answered, lost } = ledger.count();
          assert.deepEqual({ sent, answered, lost }, expected);
        }
        assert.equal(ledger.split().sent, expected.answered + expected.lost);
        assert.equal(ledger.count().sent, open.size);
      }),
    );
  });
});
