/** The last words of a command that looked on: what has become of the change, and what to do next. */

import type { CtlContext } from "../context.ts";
import { changeDocument } from "../output/change/document.ts";
import type { ChangeFacts } from "../output/change/facts.ts";
import { renderMatrix } from "../output/change/matrix.ts";
import { exitStatuses, outcomeOf } from "../output/change/outcome.ts";
import { renderReport } from "../output/change/report.ts";
import { confirmLines, trapLines, verdictLines } from "../output/change/sections.ts";
import type { Line } from "../output/change/text.ts";
import { hasColour, hasUnicode, paint } from "../terminal.ts";
import type { Followed } from "./follow.ts";

export interface Conclusion {
  readonly followed: Followed;
  readonly id: string;
  readonly context: CtlContext;
  readonly output: "text" | "json";
}

export function conclude({ followed, id, context, output }: Conclusion): void {
  const { facts } = followed;
  const words = output === "json" ? context.stderr : context.stdout;
  if (output === "json" && facts) printDocument(facts, context);
  if (followed.kind === "settled") {
    if (output === "text") printLines(endLines(followed.facts, context), context);
    context.answer?.(outcomeOf(followed.facts).exitStatus);
    return;
  }
  if (followed.kind === "gone") {
    words(
      `${id}: the change was deleted while it ran: agents now follow the pool, which \`switchyard mode status\` shows\n`,
    );
    context.answer?.(exitStatuses.attention);
    return;
  }
  const phase = facts?.change.status?.phase ?? "not begun";
  words(
    `${id} (${phase}) goes on without this command:\n` +
      `    switchyard mode show ${id} --watch   to look on\n` +
      `    switchyard mode rollback ${id}       to go back\n` +
      `    switchyard mode confirm ${id}        to confirm what it did\n`,
  );
  context.answer?.(exitStatuses.interrupted);
}

/** What the lines, or the picture, have not shown: the matrix, and how it ended. */
function endLines(facts: ChangeFacts, context: CtlContext): readonly Line[] {
  const { change, nowMs } = facts;
  const { result, sentence, exitStatus } = outcomeOf(facts);
  const showsProof = change.spec.proveOnly || result === "refused";
  const matrix = showsProof ? renderMatrix(facts, columnsOf(context)) : [];
  // A picture is cut to the screen: what decides is said in full.
  const decisive =
    context.terminal && showsProof ? [...trapLines(change), ...verdictLines(change)] : [];
  return [
    ...matrix,
    ...decisive,
    { text: `${change.metadata.name}: ${sentence}`, style: exitStatus === 0 ? "good" : "bad" },
    ...confirmLines(change, nowMs),
  ];
}

export function printReport(facts: ChangeFacts, context: CtlContext): void {
  const unicode = hasUnicode(context.env);
  printLines(renderReport(facts, { columns: columnsOf(context), unicode }), context);
}

export function printDocument(facts: ChangeFacts, context: CtlContext): void {
  context.stdout(`${JSON.stringify(changeDocument(facts), null, 2)}\n`);
}

function printLines(lines: readonly Line[], context: CtlContext): void {
  const colour = context.terminal !== undefined && hasColour(context.env);
  context.stdout(lines.map((line) => `${paint(line, colour)}\n`).join(""));
}

/** A file takes lines of any length. */
function columnsOf({ terminal }: CtlContext): number {
  return terminal?.columns() ?? Number.POSITIVE_INFINITY;
}
