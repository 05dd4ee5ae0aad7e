/** The sentences in which a command says what came of it, those of calicoctl to the letter. */

import { errorText } from "../../lib/index.ts";
import type { CtlContext } from "../context.ts";
import { errorList, failure } from "./errors.ts";
import type { Outcome } from "./run.ts";

interface Verb {
  /** `create`. */
  readonly infinitive: string;
  /** `created`. */
  readonly past: string;
}

function success(outcome: Outcome, options: { past: string; count: number }): string {
  const kind = outcome.singleKind === undefined ? "" : `'${outcome.singleKind}' `;
  return `Successfully ${options.past} ${options.count} ${kind}resource(s)\n`;
}

/** create, apply and validate. */
export function reportWrites(outcome: Outcome, verb: Verb, context: CtlContext): void {
  const { total, errors, singleKind } = outcome;
  const handled = outcome.results.length;
  if (errors.length === 0) {
    context.stdout(success(outcome, { past: verb.past, count: handled }));
    return;
  }
  if (handled === 0) {
    const list = errorList(errors);
    const { infinitive } = verb;
    if (total === 1) throw failure(`failed to ${infinitive} '${singleKind}' resource: ${list}`);
    const kind = singleKind === undefined ? "" : `'${singleKind}' `;
    throw failure(`failed to ${infinitive} any ${kind}resources: ${list}`);
  }
  // calicoctl stays silent when half or more failed; whoever reads the output may count on it.
  if (handled > errors.length) context.stdout(partial(outcome, { past: verb.past, handled }));
  throw failure(`hit error: ${errorList(errors)}`);
}

/** A failed replacement counts as handled, so a failure is always a partial success (§9). */
export function reportReplace(outcome: Outcome, context: CtlContext): void {
  const { total, errors } = outcome;
  if (errors.length === 0) {
    context.stdout(success(outcome, { past: "replaced", count: outcome.results.length }));
    return;
  }
  context.stdout(partial(outcome, { past: "replaced", handled: total }));
  throw failure(`hit error: ${errorText(errors.at(-1))}`);
}

function partial(outcome: Outcome, options: { past: string; handled: number }): string {
  const { past, handled } = options;
  const kind = outcome.singleKind === undefined ? "" : `'${outcome.singleKind}' `;
  return `Partial success: ${past} the first ${handled} out of ${outcome.total} ${kind}resources:\n`;
}

export function reportDelete(outcome: Outcome, context: CtlContext): void {
  const { errors, singleKind } = outcome;
  const deleted = outcome.results.length;
  if (deleted > 0 || errors.length === 0) {
    context.stdout(success(outcome, { past: "deleted", count: deleted }));
  }
  if (errors.length === 0) return;
  const kind = singleKind === undefined ? "" : `'${singleKind}' `;
  // Each error is a line of its own; the last newline makes the empty line calicoctl ends with.
  throw failure(
    errors.map((error) => `Failed to delete ${kind}resource: ${errorText(error)}\n`).join(""),
  );
}
