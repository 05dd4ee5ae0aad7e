/** Held against a `Map`: any history, walks that go on while the table changes included. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { PrefixKey } from "../wire/index.ts";
import { PrefixMap, PrefixQueue } from "./prefix-map.ts";

/**
 * Few, so that they meet again, and enough for a table to become an array; among them the lowest, the
 * highest, and some that differ only in high bits.
 */
const keys: readonly PrefixKey[] = [
  ...Array.from({ length: 60 }, (_, i) => i * 64 + 24),
  ...Array.from({ length: 40 }, (_, i) => i * 2 ** 32 + 8),
  ...[0, 2 ** 38 - 32, 2 ** 32 - 1, 2 ** 31],
  ...Array.from({ length: 8 }, (_, i) => (BigInt(i) << 72n) | 64n),
];
const key = fc.integer({ min: 0, max: keys.length - 1 }).map((index) => keys[index]!);

type Act = readonly ["set", PrefixKey, number] | readonly ["delete" | "get", PrefixKey];

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.tuple(fc.constant("set" as const), key, fc.nat()),
  fc.tuple(fc.constantFrom("delete" as const, "get" as const), key),
);
const history = fc.array(act, { maxLength: 300, size: "max" });

function byKey(a: PrefixKey, b: PrefixKey): number {
  return a < b ? -1 : 1;
}

function carryOut(acts: readonly Act[], map: PrefixMap<number>, naive: Map<PrefixKey, number>) {
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
        const naive = new Map<PrefixKey, number>();
        carryOut(acts, map, naive);
        assert.deepEqual([...map.keys()].sort(byKey), [...naive.keys()].sort(byKey));
        for (const each of keys) assert.equal(map.get(each), naive.get(each));
      }),
      { numRuns: 100 },
    );
  });

  it("walks over what stays exactly once, whatever happens meanwhile", () => {
    fc.assert(
      fc.property(history, fc.array(history, { maxLength: 8 }), (first, later) => {
        const map = new PrefixMap<number>();
        const naive = new Map<PrefixKey, number>();
        carryOut(first, map, naive);
        const stays = new Set(naive.keys());
        const walk = map.keys();
        const seen: PrefixKey[] = [];
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
    for (let i = 0; i < 3; i++) few.set(i * 2 ** 20 + 32, i);
    const map = new PrefixMap<number>();
    for (let round = 0; round < 3; round++) {
      const keyOf = (i: number) => i * 64 + 32 + round * 2 ** 33;
      for (let i = 0; i < 20_000; i++) map.set(keyOf(i), i);
      assert.equal(map.size, 20_000);
      // Many of its numbers lie beyond what the small table knew when it was made.
      few.set(keyOf(19_999), round);
      assert.equal(few.get(keyOf(19_999)), round);
      assert.equal([...map.keys()].length, 20_000);
      for (let i = 0; i < 20_000; i++) {
        assert.equal(map.get(keyOf(i)), i);
        assert.equal(map.delete(keyOf(i)), true);
      }
      assert.deepEqual([...map.keys()], []);
    }
    assert.equal(few.size, 6);
    for (let i = 0; i < 3; i++) assert.equal(few.get(i * 2 ** 20 + 32), i);
  });
});

describe("a queue of prefixes", () => {
  it("serves first what came first, none twice", () => {
    const queue = new PrefixQueue();
    for (const each of [88, 24, 88, 152, 1n, 24]) queue.add(each);
    assert.equal(queue.size, 4);
    assert.deepEqual([...queue], [88, 24, 152, 1n]);
    assert.equal(queue.delete(24), true);
    assert.equal(queue.delete(24), false);
    queue.add(24);
    assert.deepEqual([...queue], [88, 152, 1n, 24]);
  });

  it("is worked off while more comes", () => {
    const queue = new PrefixQueue();
    const served: PrefixKey[] = [];
    for (let i = 0; i < 5000; i++) {
      queue.add(i * 64);
      queue.add(i * 64 + 1);
      for (const each of queue) {
        queue.delete(each);
        served.push(each);
        break;
      }
    }
    assert.equal(queue.size, 5000);
    assert.deepEqual(served.slice(0, 4), [0, 1, 64, 65]);
    assert.equal(new Set(served).size, 5000);
  });
});
