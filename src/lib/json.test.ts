import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseJson, stringifyJson } from "./json.ts";

test("integers beyond 2^53 survive both directions digit for digit", () => {
  const text = '{"a":1790000000123456789,"b":[-9007199254740993,1],"c":"1790000000123456789"}';
  const value = parseJson(text) as { a: bigint; b: unknown[]; c: string };
  assert.equal(value.a, 1790000000123456789n);
  assert.deepEqual(value.b, [-9007199254740993n, 1]);
  assert.equal(value.c, "1790000000123456789");
  assert.equal(stringifyJson(value), text);
});

test("what is not an unsafe integer stays what JSON.parse makes of it", () => {
  for (const text of ["9007199254740991", "1e300", "0.1234567890123456789", "[1,2.5,null,true]"]) {
    assert.deepEqual(parseJson(text), JSON.parse(text), text);
  }
});

test("any JSON value with any bigints comes back equal", () => {
  const big = fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n });
  const safe = (value: bigint) => Number.isSafeInteger(Number(value));
  fc.assert(
    fc.property(fc.array(fc.oneof(big, fc.jsonValue())), (values) => {
      const expected = values.map((value) =>
        typeof value === "bigint"
          ? safe(value)
            ? Number(value)
            : value
          : JSON.parse(JSON.stringify(value)),
      );
      // Doubles that print as long integers, such as 1e20, are read as the integers they print as.
      fc.pre(!/\d{16}/.test(JSON.stringify(expected, (_k, v) => (typeof v === "bigint" ? "" : v))));
      assert.deepEqual(parseJson(stringifyJson(values)), expected);
    }),
  );
});

test("malformed text throws SyntaxError, undefined throws TypeError", () => {
  assert.throws(() => parseJson("{"), SyntaxError);
  assert.throws(() => parseJson("12345678901234567890x"), SyntaxError);
  assert.throws(() => stringifyJson(undefined), TypeError);
});
