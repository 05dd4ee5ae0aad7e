/** Numbers stay for as long as a table holds their prefix, and no longer. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PrefixKey } from "../wire/index.ts";
import { type Holder, PrefixIndex, type PrefixNumber } from "./prefix-index.ts";

class Numbers implements Holder {
  readonly held = new Map<PrefixNumber, PrefixKey>();

  mark(held: Uint8Array): void {
    for (const number of this.held.keys()) held[number] = 1;
  }
}

const both = (i: number): PrefixKey => (i % 2 === 0 ? i * 2 ** 18 + 24 : (BigInt(i) << 80n) | 64n);

describe("the index of prefixes", () => {
  it("numbers each prefix once, and knows it by its number", () => {
    const index = new PrefixIndex();
    const table = new Numbers();
    index.register(table);
    for (let i = 0; i < 10_000; i++) table.held.set(index.add(both(i)), both(i));
    assert.equal(table.held.size, 10_000);
    for (const [number, key] of table.held) {
      assert.equal(index.keyOf(number), key);
      assert.equal(index.find(key), number);
      assert.equal(index.add(key), number);
      assert.ok(number < index.capacity);
    }
    assert.equal(index.find(both(10_000)), undefined);
    assert.equal(index.find(both(10_001)), undefined);
  });

  it("gives numbers again that no table holds, and never one that a table does", () => {
    const index = new PrefixIndex();
    const tables = [new Numbers(), new Numbers()];
    for (const table of tables) index.register(table);
    const before = index.capacity;
    for (let i = 0; i < 100_000; i++) {
      const table = tables[i % 2]!;
      table.held.set(index.add(both(i)), both(i));
      // The last hundred of each stay.
      if (table.held.size > 100) table.held.delete(table.held.keys().next().value!);
      if (i % 997 !== 0) continue;
      for (const { held } of tables) {
        for (const [number, key] of held) {
          assert.equal(index.keyOf(number), key);
          assert.equal(index.find(key), number);
        }
      }
    }
    assert.equal(index.capacity, before);
  });

  it("grows with what is held", () => {
    const index = new PrefixIndex();
    const table = new Numbers();
    index.register(table);
    for (let i = 0; i < 5000; i++) table.held.set(index.add(both(i)), both(i));
    assert.ok(index.capacity >= 5000 && index.capacity <= 2 * 8192);
  });
});
