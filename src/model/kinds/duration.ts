/** Durations as Go reads and writes them: `1h2m3.5s`. */

import { z } from "zod";

const unitNanoseconds: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const part = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y;
const maximum = 2n ** 63n - 1n;

/** Nanoseconds, or undefined unless `text` is a Go duration. */
export function parseDuration(text: string): bigint | undefined {
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  const digits = text.slice(sign.length);
  if (digits === "0") return 0n;
  if (digits === "") return undefined;
  let total = 0n;
  part.lastIndex = 0;
  while (part.lastIndex < digits.length) {
    const match = part.exec(digits);
    if (!match) return undefined;
    const [, whole = "", fraction = "", unit = ""] = match;
    if (whole === "" && fraction === "") return undefined;
    const scale = unitNanoseconds[unit]!;
    total += BigInt(whole || "0") * scale;
    if (fraction) total += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
    if (total > maximum) return undefined;
  }
  return sign === "-" ? -total : total;
}

function decimal(value: bigint, unit: bigint): string {
  const fraction = (value % unit).toString().padStart(unit.toString().length - 1, "0");
  const trimmed = unit === 1n ? "" : fraction.replace(/0+$/, "");
  return trimmed === "" ? `${value / unit}` : `${value / unit}.${trimmed}`;
}

/** As Go's `Duration.String` writes it: `125s` becomes `2m5s`. */
export function formatDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return "0s";
  if (nanoseconds < 0n) return `-${formatDuration(-nanoseconds)}`;
  if (nanoseconds < 1_000n) return `${nanoseconds}ns`;
  if (nanoseconds < 1_000_000n) return `${decimal(nanoseconds, 1_000n)}µs`;
  if (nanoseconds < 1_000_000_000n) return `${decimal(nanoseconds, 1_000_000n)}ms`;
  const minutes = nanoseconds / unitNanoseconds.m!;
  const seconds = `${decimal(nanoseconds % unitNanoseconds.m!, unitNanoseconds.s!)}s`;
  if (minutes === 0n) return seconds;
  if (minutes < 60n) return `${minutes}m${seconds}`;
  return `${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

/** A duration field: kept in Go's canonical text. */
export const durationSchema = z.string().transform((text, context) => {
  const nanoseconds = parseDuration(text);
  if (nanoseconds !== undefined) return formatDuration(nanoseconds);
  context.issues.push({
    code: "custom",
    input: text,
    message: `time: invalid duration ${JSON.stringify(text)}`,
  });
  return z.NEVER;
});
