/** How long a mode change was in each of its phases, from the times of its history. Pure. */

import type { ModeChangeStatus } from "../src/model/index.ts";

export interface PhaseTime {
  readonly phase: string;
  readonly ms: number;
}

/** In the order in which they came; a phase of several entries once, the last one (the end) without. */
export function phaseTimes(history: ModeChangeStatus["history"]): PhaseTime[] {
  const times = new Map<string, number>();
  for (const [index, { at, phase }] of history.entries()) {
    const next = history[index + 1];
    if (!next) break;
    times.set(phase, (times.get(phase) ?? 0) + Date.parse(next.at) - Date.parse(at));
  }
  return [...times].map(([phase, ms]) => ({ phase, ms }));
}
