/** Held against a `Map`: any history, walks that go on while the table changes included. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { PrefixKey } from "../wire/index.ts";
import type { PrefixNumber } from "./prefix-index.ts";
import { prefixIndex } from "./prefix-index.ts";
import { PrefixMap } from "./prefix-map.ts";
import { testNumber } from "./testing.ts";

/**
 * Few, so that they meet again, and enough for a table to become an array; among them the lowest, the
 * highest, and some that differ only in high bits.
 */
const numbers: readonly PrefixNumber[] = [
  ...Array.from({ length: 60 }, (_, i) => i * 64 + 24),
  ...Array.from({ length: 40 }, (_, i) => i * 2 ** 32 + 8),
  ...[0, 2 ** 38 - 32, 2 ** 32 - 1, 2 ** 31],
  ...Array.from({ length: 8 }, (_, i) => (BigInt(i) << 72n) | 64n),
].map(testNumber);
const anyNumber = fc.integer({ min: 0, max: numbers.length - 1 }).map((index) => numbers[index]!);

type Act = readonly ["set", PrefixNumber, number] | readonly ["delete" | "get", PrefixNumber];

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.tuple(fc.constant("set" as const), anyNumber, fc.nat()),
  fc.tuple(fc.constantFrom("delete" as const, "get" as const), anyNumber),
);
const history = fc.array(act, { maxLength: 300, size: "max" });

function carryOut(acts: readonly Act[], map: PrefixMap<number>, naive: Map<PrefixNumber, number>) {
  for (const [verb, at, value] of acts) {
    if (verb === "set") {
      map.set(at, value);
      naive.set(at, value);
    } else if (verb === "delete") {
      assert.equal(map.delete(at), naive.delete(at));
    }
    assert.equal(map.get(at), naive.get(at));
    assert.equal(map.has(at), naive.has(at));
    assert.equal(map.size, naive.size);
  }
}

describe("a map of prefixes", () => {
  it("does what a Map does", () => {
    fc.assert(
      fc.property(history, (acts) => {
        const map = new PrefixMap<number>();
        const naive = new Map<PrefixNumber, number>();
        carryOut(acts, map, naive);
        assert.deepEqual(new Set(map.numbers()), new Set(naive.keys()));
        for (const each of numbers) assert.equal(map.get(each), naive.get(each));
      }),
      { numRuns: 100 },
    );
  });

  it("walks over what stays exactly once, whatever happens meanwhile", () => {
    fc.assert(
      fc.property(history, fc.array(history, { maxLength: 8 }), (first, later) => {
        const map = new PrefixMap<number>();
        const naive = new Map<PrefixNumber, number>();
        carryOut(first, map, naive);
        const stays = new Set(naive.keys());
        const walk = map.numbers();
        const seen: PrefixNumber[] = [];
        for (const acts of later) {
          for (let i = 0; i < 5; i++) {
            const { value } = walk.next();
            if (value !== undefined) seen.push(value);
          }
          carryOut(acts, map, naive);
          for (const [verb, at] of acts) if (verb === "delete") stays.delete(at);
        }
        for (const each of walk) seen.push(each);
        for (const each of stays) assert.equal(seen.filter((one) => one === each).length, 1);
      }),
      { numRuns: 100 },
    );
  });

  it("holds many, a few beside many, and many after others are gone", () => {
    const few = new PrefixMap<number>();
    for (let i = 0; i < 3; i++) few.set(prefixIndex.add(i * 2 ** 20 + 32), i);
    const map = new PrefixMap<number>();
    for (let round = 0; round < 3; round++) {
      const keyOf = (i: number): PrefixKey => i * 64 + 32 + round * 2 ** 33;
      const numberOf = (i: number) => prefixIndex.find(keyOf(i))!;
      for (let i = 0; i < 20_000; i++) map.set(prefixIndex.add(keyOf(i)), i);
      assert.equal(map.size, 20_000);
      // Its number lies beyond what the small table knew when it was made.
      few.set(numberOf(19_999), round);
      assert.equal(few.get(numberOf(19_999)), round);
      assert.equal([...map.numbers()].length, 20_000);
      for (let i = 0; i < 20_000; i++) {
        assert.equal(map.get(numberOf(i)), i);
        assert.equal(map.delete(numberOf(i)), true);
      }
      assert.deepEqual([...map.numbers()], []);
    }
    assert.equal(few.size, 6);
    for (let i = 0; i < 3; i++) assert.equal(few.get(prefixIndex.find(i * 2 ** 20 + 32)!), i);
  });
});
