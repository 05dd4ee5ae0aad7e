/** AS numbers as the API takes them: a number, its text, or `high.low`; always kept as a number. */

import { z } from "zod";

/** `undefined` unless `value` is an AS number (RFC 6793, dotted text RFC 5396). */
export function parseAsNumber(value: number | string): number | undefined {
  if (typeof value === "number") {
    return Number.isInteger(value) && value >= 0 && value <= 0xffffffff ? value : undefined;
  }
  if (/^\d{1,10}$/.test(value)) return parseAsNumber(Number(value));
  const dotted = /^(\d{1,5})\.(\d{1,5})$/.exec(value);
  if (!dotted) return undefined;
  const [high, low] = [Number(dotted[1]), Number(dotted[2])];
  return high <= 0xffff && low <= 0xffff ? high * 0x10000 + low : undefined;
}

export const asNumberSchema = z.union([z.number(), z.string()]).transform((value, context) => {
  const asNumber = parseAsNumber(value);
  if (asNumber !== undefined) return asNumber;
  context.issues.push({
    code: "custom",
    input: value,
    message: `invalid AS Number format (${value})`,
  });
  return z.NEVER;
});
