/** What counts as a changed configuration. */

import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { sameData } from "./config.ts";

const leaf = fc.oneof(fc.nat(2), fc.bigInt({ min: 0n, max: 2n }), fc.boolean(), fc.string());
const { data } = fc.letrec<{ data: unknown }>((tie) => ({
  data: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie("data"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "c"), fc.option(tie("data"), { nil: undefined }), {
      noNullPrototype: true,
    }),
  ),
}));

/** Told apart as JSON does, which leaves out what is undefined. */
const text = (value: unknown) =>
  JSON.stringify(value, (_, item) => {
    if (typeof item === "bigint") return `${item}n`;
    if (typeof item === "string") return `"${item}"`;
    if (item === null || typeof item !== "object" || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
  });

it("is what differs as data, whoever holds it", () => {
  let same = 0;
  fc.assert(
    fc.property(data, data, fc.boolean(), (a, other, copied) => {
      const b = copied ? structuredClone(a) : other;
      assert.equal(sameData(a, b), text(a) === text(b));
      if (sameData(a, b)) same++;
    }),
    { numRuns: 1000 },
  );
  assert.ok(same > 100 && same < 900, `${same} of 1000 were the same`);
});
