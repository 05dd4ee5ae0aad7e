/**
 * Puts together what different parts of an agent, and an agent before it, saw of one change. Pure. Saying a
 * thing twice changes nothing, and nothing that was seen is lost by a part that did not see it.
 */

import type { ModeEvidenceStatus, ProofResult } from "../model/index.ts";

/** What is known, less the time of telling. */
export type Evidence = Omit<ModeEvidenceStatus, "updatedAt">;

export const noEvidence: Evidence = {
  ready: false,
  problems: [],
  proved: "no",
  results: [],
  heard: [],
};

const rounds: readonly Evidence["proved"][] = ["no", "first", "full"];

/**
 * `later` over `earlier`: rounds only advance, nodes that were heard or came stay so, results are joined field by
 * field, and everything else is replaced where `later` has it.
 */
export function mergeEvidence(earlier: Evidence, later: Partial<Evidence>): Evidence {
  const proved = later.proved ?? "no";
  return {
    ...earlier,
    ...later,
    proved: rounds.indexOf(proved) > rounds.indexOf(earlier.proved) ? proved : earlier.proved,
    results: mergeResults(earlier.results, later.results ?? []),
    heard: union(earlier.heard, later.heard),
    ...((earlier.reached ?? later.reached) && {
      reached: union(earlier.reached, later.reached),
    }),
  };
}

function union(earlier: readonly string[] = [], later: readonly string[] = []): string[] {
  return [...new Set([...earlier, ...later])].sort();
}

/** An error stays only as long as it is said again: a later try may have gone well. */
function mergeResults(
  earlier: readonly ProofResult[],
  later: readonly ProofResult[],
): ProofResult[] {
  const merged = new Map(earlier.map((result) => [keyOf(result), result]));
  for (const result of later) {
    const { error: _, ...before } = merged.get(keyOf(result)) ?? result;
    merged.set(keyOf(result), { ...before, ...result });
  }
  return [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, result]) => result);
}

const keyOf = ({ node, encapsulation }: ProofResult) => `${node} ${encapsulation}`;
