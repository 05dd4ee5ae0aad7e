/**
 * JSON without loss: an integer beyond 2^53 is a `bigint` in both directions. Calico's IPAM blocks
 * carry sequence numbers that start at nanoseconds since the epoch, which a double cannot hold.
 */

// ECMAScript "JSON.parse source text access"; in V8 since 11.4, not yet in TypeScript's library.
interface JsonWithSource {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}
const json = JSON as unknown as JsonWithSource;

// 2^53 has 16 digits: shorter texts cannot hold an unsafe integer, and the reviver is slow.
const longDigits = /\d{16}/;
const integer = /^-?\d+$/;

/** @throws SyntaxError as JSON.parse does. */
export function parseJson(text: string): unknown {
  if (!longDigits.test(text)) return JSON.parse(text);
  return json.parse(text, (_key, value, context) => {
    if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
    return context.source !== undefined && integer.test(context.source)
      ? BigInt(context.source)
      : value;
  });
}

function replaceBigint(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? json.rawJSON(value.toString()) : value;
}

/** `indent` is a number of spaces; none unless told. */
export function stringifyJson(value: unknown, indent?: number): string {
  const text: string | undefined = JSON.stringify(value, replaceBigint, indent);
  if (text === undefined) throw new TypeError(`${typeof value} has no JSON form`);
  return text;
}
