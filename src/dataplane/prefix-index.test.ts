import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Family, formatPrefix, type IpAddress, type Prefix } from "../lib/index.ts";
import { PrefixIndex } from "./prefix-index.ts";

/** Few distinct ones, so that they collide, return and are removed in every order. */
function prefixOf(family: Family, number: number): Prefix {
  if (family === 4)
    return { address: ((10 << 24) + number * 64) as IpAddress, length: 26 - (number % 3) };
  return {
    address: ((0xfd00n << 112n) + (BigInt(number) << 64n)) as IpAddress,
    length: 64 + (number % 3),
  };
}

for (const family of [4, 6] as const) {
  describe(`PrefixIndex of IPv${family}`, () => {
    it("is a map from prefixes to dense places, through any additions and removals", () => {
      const step = fc.record({ add: fc.boolean(), number: fc.nat(300) });
      fc.assert(
        fc.property(fc.array(step, { maxLength: 500 }), (steps) => {
          const index = new PrefixIndex(family);
          const model: string[] = [];
          for (const { add, number } of steps) {
            const prefix = prefixOf(family, number);
            const text = formatPrefix(prefix);
            const place = index.find(prefix);
            assert.equal(place, model.indexOf(text));
            if (add) {
              assert.equal(index.add(prefix), place === -1 ? model.push(text) - 1 : place);
            } else if (place !== -1) {
              assert.equal(index.remove(place), model.length - 1);
              const last = model.pop()!;
              if (place < model.length) model[place] = last;
            }
          }
          assert.equal(index.size, model.length);
          assert.ok(index.capacity >= index.size);
          assert.deepEqual(
            model.map((_, place) => formatPrefix(index.at(place))),
            model,
          );
        }),
      );
    });
  });
}

it("PrefixIndex finds each of 100,000 neighbouring blocks without long searches", () => {
  const index = new PrefixIndex(4);
  const startedMs = performance.now();
  for (let i = 0; i < 100_000; i++)
    index.add({ address: ((11 << 24) + i * 64) as IpAddress, length: 26 });
  assert.equal(
    index.find({ address: ((11 << 24) + 99_999 * 64) as IpAddress, length: 26 }),
    99_999,
  );
  // Some 20 ms; a hash that clusters takes minutes.
  assert.ok(performance.now() - startedMs < 5_000);
});
