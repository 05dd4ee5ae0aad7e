/** What has become of a change, in a word for programs, an exit status and a sentence. Pure. */

import { type ChangeFacts, probeFigures } from "./facts.ts";
import { isEnd, totalMs } from "./phases.ts";
import { changeTitle, durationText, plainText } from "./text.ts";

/** docs/reference/exit-codes.md says the same. */
export const exitStatuses = {
  refused: 3,
  rolledBack: 4,
  attention: 5,
  interrupted: 130,
} as const;

export type ChangeResult =
  | "running"
  | "awaiting-confirm"
  | "done"
  | "proved"
  | "refused"
  | "rolled-back";

export interface Outcome {
  readonly result: ChangeResult;
  readonly exitStatus: number;
  readonly sentence: string;
}

export function outcomeOf(facts: ChangeFacts): Outcome {
  const { change, nowMs, evidence } = facts;
  const { status, spec } = change;
  const title = changeTitle(change);
  const took = durationText(totalMs(change, nowMs));
  const attention = status?.attention?.length ? exitStatuses.attention : 0;
  const because = status?.reason === undefined ? "" : `: ${plainText(status.reason)}`;
  const figures = probeFigures(evidence);
  const lost = figures ? `, ${figures.lost} of ${figures.sent} live probes lost` : "";
  switch (status?.phase) {
    case "Done":
      if (!spec.proveOnly) {
        const sentence = `done: ${title} in ${took}${lost}${because}`;
        return { result: "done", exitStatus: attention, sentence };
      }
      return proofOutcome(facts, took);
    case "Refused": {
      const sentence = `refused: ${title}${because || ": nothing has moved"}`;
      return { result: "refused", exitStatus: exitStatuses.refused, sentence };
    }
    case "RolledBack": {
      const sentence = `rolled back: ${title} after ${took}${lost}${because}`;
      const exitStatus = attention || exitStatuses.rolledBack;
      return { result: "rolled-back", exitStatus, sentence };
    }
    case "AwaitingConfirm": {
      const sentence = `moved: ${title} in ${took}${lost}; it waits to be confirmed`;
      return { result: "awaiting-confirm", exitStatus: attention, sentence };
    }
    default: {
      const sentence = `${status?.phase ?? "not begun"}: ${title}, ${took} so far`;
      return { result: "running", exitStatus: 0, sentence };
    }
  }
}

/** A proof alone ends in Done whatever it showed. */
function proofOutcome(facts: ChangeFacts, took: string): Outcome {
  const { change } = facts;
  const verdicts = change.status?.verdicts ?? [];
  const failed = verdicts.filter(({ ok }) => !ok);
  const title = changeTitle(change);
  if (failed.length > 0) {
    const sentence = `not proved: ${title}: ${failed.length} of ${verdicts.length} verdicts are against it`;
    return { result: "refused", exitStatus: exitStatuses.refused, sentence };
  }
  const exitStatus = change.status?.attention?.length ? exitStatuses.attention : 0;
  const proved = verdicts.length > 0 ? "proved" : "nothing to prove";
  const sentence = `${proved}: ${title} in ${took}; nothing was changed`;
  return { result: "proved", exitStatus, sentence };
}

/** There is nothing more to wait for, or nothing but the operator. */
export function isSettled({ change }: ChangeFacts, untilTheEnd: boolean): boolean {
  const { phase } = change.status ?? {};
  if (isEnd(phase)) return true;
  const waits = phase === "AwaitingConfirm" && !change.spec.confirmed && !change.spec.rollback;
  return waits && !untilTheEnd;
}
