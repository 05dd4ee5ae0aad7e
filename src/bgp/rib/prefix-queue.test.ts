/** Held against a `Set`, which keeps an order too. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type PrefixNumber, prefixIndex } from "./prefix-index.ts";
import { PrefixQueue } from "./prefix-queue.ts";
import { testNumber } from "./testing.ts";

const few = [88, 24, 152, 1n].map(testNumber);
/** Enough for bits instead of a `Set`, and for the ring to grow. */
const many = Array.from({ length: 3000 }, (_, i) => testNumber(i * 64 + 32));

function rest(queue: PrefixQueue): PrefixNumber[] {
  const numbers: PrefixNumber[] = [];
  for (let next = queue.take(); next !== undefined; next = queue.take()) numbers.push(next);
  return numbers;
}

describe("a queue of prefixes", () => {
  it("serves first what came first, none twice", () => {
    const queue = new PrefixQueue();
    const [a, b, c, d] = few as [PrefixNumber, PrefixNumber, PrefixNumber, PrefixNumber];
    for (const each of [a, b, a, c, d, b]) queue.add(each);
    assert.equal(queue.size, 4);
    assert.equal(queue.take(), a);
    queue.add(a);
    assert.deepEqual(rest(queue), [b, c, d, a]);
    assert.equal(queue.size, 0);
  });

  it("does what a Set does, few or many, while more comes", () => {
    const burst = fc.record({
      first: fc.nat(many.length - 1),
      count: fc.oneof(fc.nat(20), fc.nat(many.length)),
      taken: fc.oneof(fc.nat(20), fc.nat(2 * many.length)),
    });
    fc.assert(
      fc.property(fc.array(burst, { maxLength: 8 }), (bursts) => {
        const queue = new PrefixQueue();
        const naive = new Set<PrefixNumber>();
        for (const { first, count, taken } of bursts) {
          for (let i = 0; i < count; i++) {
            const number = many[(first + i) % many.length]!;
            queue.add(number);
            naive.add(number);
          }
          assert.equal(queue.size, naive.size);
          for (let i = 0; i < taken; i++) {
            const [next] = naive;
            if (next !== undefined) naive.delete(next);
            assert.equal(queue.take(), next);
          }
        }
        assert.deepEqual(rest(queue), [...naive]);
      }),
      { numRuns: 50 },
    );
  });

  it("tells the index which prefixes it holds", () => {
    const queue = new PrefixQueue();
    for (const each of many) queue.add(each);
    for (let i = 0; i < 2000; i++) queue.take();
    for (const each of many.slice(0, 100)) queue.add(each);
    const held = new Uint8Array(prefixIndex.capacity);
    queue.mark(held);
    for (const [i, each] of many.entries()) {
      assert.equal(held[each], i < 100 || i >= 2000 ? 1 : 0);
    }
  });
});
