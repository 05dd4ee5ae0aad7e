/** How a BGP session ended, in a line. */

import type { EndDocument } from "../../bgp/view/index.ts";
import { momentText } from "./since.ts";

export function endText(
  end: EndDocument,
  { address, nowMs }: { readonly address?: string; readonly nowMs: number },
): string {
  const { at, first = at, times, from, establishedSeconds, reason } = end;
  const lasted =
    establishedSeconds === undefined ? `in ${from}` : `after ${lengthText(establishedSeconds)}`;
  const often = times > 1 ? `, ${times} times since ${momentText(first, nowMs)}` : "";
  const who = address === undefined ? "" : `${address} `;
  return `${momentText(at, nowMs)} ${who}${lasted}${often}: ${reason}`;
}

/** Two units at most: `3d4h`, `2h2m`, `5m1s`, `7s`. */
export function lengthText(seconds: number): string {
  const units = [
    ["d", 86_400],
    ["h", 3600],
    ["m", 60],
    ["s", 1],
  ] as const;
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first < 0) return "0s";
  const parts = units.slice(first, first + 2).map(([unit, size], index) => {
    const value = index === 0 ? Math.floor(seconds / size) : rest(seconds, units[first]![1], size);
    return value === 0 ? "" : `${value}${unit}`;
  });
  return parts.join("");
}

function rest(seconds: number, larger: number, size: number): number {
  return Math.floor((seconds % larger) / size);
}
