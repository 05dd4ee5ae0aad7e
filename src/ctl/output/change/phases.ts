/** The way of a change through its phases, from `status.history`: what each took, what was said in it. */

import type { ChangePhase, ModeChange } from "../../../model/index.ts";
import { elapsedMs } from "./text.ts";

export interface PhaseRecord {
  readonly phase: ChangePhase;
  /** RFC 3339. */
  readonly at: string;
  /** Of a phase that still goes on: so far. Of an end: 0. */
  readonly durationMs: number;
  readonly messages: readonly string[];
}

const ends: readonly ChangePhase[] = ["Done", "Refused", "RolledBack"];

export function isEnd(phase: ChangePhase | undefined): boolean {
  return phase !== undefined && ends.includes(phase);
}

/** Entries of the same phase that follow each other are one record. */
export function phaseRecords(change: ModeChange, nowMs: number): readonly PhaseRecord[] {
  const history = change.status?.history ?? [];
  const starts = history.flatMap((entry, index) =>
    entry.phase === history[index - 1]?.phase ? [] : [index],
  );
  return starts.map((start, position) => {
    const next = starts[position + 1];
    const { phase, at } = history[start]!;
    const untilMs = next === undefined ? nowMs : Date.parse(history[next]!.at);
    return {
      phase,
      at,
      durationMs: isEnd(phase) ? 0 : elapsedMs(at, untilMs),
      messages: history
        .slice(start, next)
        .flatMap(({ message }) => (message === "" ? [] : [message])),
    };
  });
}

/** From the first word of the driver to the end, or to now. */
export function totalMs(change: ModeChange, nowMs: number): number {
  const history = change.status?.history ?? [];
  const first = history[0]?.at ?? change.metadata.creationTimestamp ?? undefined;
  const last = history.at(-1);
  if (first === undefined) return 0;
  return elapsedMs(first, last && isEnd(last.phase) ? Date.parse(last.at) : nowMs);
}

/** Phases still to come if all goes well. */
export function phasesAhead({ spec, status }: ModeChange): readonly ChangePhase[] {
  const way: readonly ChangePhase[] = [
    "Planning",
    ...(spec.skipProof ? [] : (["Proving"] as const)),
    ...(spec.proveOnly ? [] : wayOfMove(spec.canary)),
  ];
  const phase = status?.phase;
  if (phase === undefined) return way;
  // A canary may be the driver's own idea: whatever comes after the present phase is still ahead.
  const here = way.indexOf(phase);
  return here < 0
    ? way.slice(phase === "Canary" ? way.indexOf("Rolling") : way.length)
    : way.slice(here + 1);
}

function wayOfMove(canary: number | undefined): readonly ChangePhase[] {
  const first: readonly ChangePhase[] = canary === 0 ? ["Widening"] : ["Widening", "Canary"];
  return [...first, "Rolling", "Verifying", "AwaitingConfirm", "Narrowing"];
}
