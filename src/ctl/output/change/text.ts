/** Words that every view of a change uses: who changes what, names in lists, durations. */

import type { ModeChange } from "../../../model/index.ts";

/** A line with the one thing colour says about it; without colour nothing is lost. */
export interface Line {
  readonly text: string;
  readonly style?: "good" | "bad" | "strong" | "faint";
}

/** `pods: ipip -> none`. */
export function changeTitle({ spec, status }: ModeChange): string {
  const from = status?.from ?? "?";
  if (spec.pool === undefined) return `node-to-node mesh: ${from} -> ${spec.mesh ?? "?"}`;
  return `${spec.pool}: ${from} -> ${spec.to ?? "?"}`;
}

/** Of `node2/13388-9d947668`, a process, the node. */
export function driverNode(driver: string): string {
  return driver.replace(/\/.*$/s, "");
}

/** The first few names, and how many more there are. */
export function nameList(names: readonly string[], atMost = 8): string {
  if (names.length <= atMost) return names.join(", ");
  return `${names.slice(0, atMost).join(", ")} and ${names.length - atMost} more`;
}

/** `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [large, small] =
    whole < 3600
      ? [`${Math.floor(whole / 60)} min`, `${whole % 60} s`]
      : [`${Math.floor(whole / 3600)} h`, `${Math.floor((whole % 3600) / 60)} min`];
  return small.startsWith("0 ") ? large : `${large} ${small}`;
}

/** Milliseconds between two times of RFC 3339; 0 where one cannot be read. */
export function elapsedMs(from: string, untilMs: number): number {
  const fromMs = Date.parse(from);
  return Number.isNaN(fromMs) ? 0 : Math.max(0, untilMs - fromMs);
}

/** Microseconds as milliseconds: `0.21 ms`. */
export function rttText(us: number): string {
  return `${(us / 1000).toFixed(2)} ms`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it finds
const control = /[\u0000-\u001f\u007f-\u009f]+/g;

/** What others wrote, on one line and without escapes for the terminal. */
export function plainText(text: string): string {
  return text.replace(control, " ");
}
