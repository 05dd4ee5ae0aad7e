/** Delays grow, stay under their ceiling, and start over. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Backoff } from "./index.ts";

function take(backoff: Backoff, count: number): number[] {
  return Array.from({ length: count }, () => backoff.next());
}

test("without jitter the delays are the powers of the factor, up to the ceiling", () => {
  const backoff = new Backoff({ initialMs: 100, maximumMs: 1500, jitter: 0 });
  assert.deepEqual(take(backoff, 6), [100, 200, 400, 800, 1500, 1500]);
  assert.equal(backoff.attempts, 6);
  backoff.reset();
  assert.equal(backoff.attempts, 0);
  assert.equal(backoff.next(), 100);
  assert.deepEqual(
    take(new Backoff({ initialMs: 1, maximumMs: 99, factor: 3, jitter: 0 }), 3),
    [1, 3, 9],
  );
});

test("jitter takes away up to its share, never adds", () => {
  const options = { initialMs: 100, maximumMs: 1000, jitter: 0.5 };
  assert.deepEqual(take(new Backoff({ ...options, random: () => 0 }), 2), [50, 100]);
  assert.deepEqual(take(new Backoff({ ...options, random: () => 0.5 }), 2), [75, 150]);
});

test("any delay lies between its base less the jitter and its base, for ever", () => {
  fc.assert(
    fc.property(
      fc.record({
        initialMs: fc.integer({ min: 1, max: 5000 }),
        maximumMs: fc.integer({ min: 1, max: 60_000 }),
        factor: fc.double({ min: 1, max: 10, noNaN: true }),
        jitter: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      (options) => {
        const backoff = new Backoff(options);
        // 1100 doublings are beyond the largest number there is.
        for (const [attempt, delay] of take(backoff, 1100).entries()) {
          const base = Math.min(options.maximumMs, options.initialMs * options.factor ** attempt);
          assert.ok(delay <= base + 1e-6, `${delay} of ${base}`);
          assert.ok(delay >= base * (1 - options.jitter) - 1e-6, `${delay} of ${base}`);
        }
      },
    ),
    { numRuns: 50 },
  );
});
