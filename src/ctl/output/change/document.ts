/**
 * A change as one JSON document, for `-o json`. Its fields are a promise to scripts: they are added to, never
 * renamed (docs/reference/commands.md). Pure.
 */

import { type ChangeFacts, counterFigures, nodeProgress, probeFigures } from "./facts.ts";
import { isFailed, provedPairs } from "./matrix.ts";
import { outcomeOf } from "./outcome.ts";
import { isEnd, phaseRecords, totalMs } from "./phases.ts";

export function changeDocument(facts: ChangeFacts): Readonly<Record<string, unknown>> {
  const { change, nowMs, evidence } = facts;
  const { metadata, spec, status } = change;
  const { result, exitStatus } = outcomeOf(facts);
  const { pairs } = provedPairs(facts);
  const progress = nodeProgress(facts);
  const last = status?.history.at(-1);
  return {
    id: metadata.name,
    pool: spec.pool ?? null,
    from: status?.from ?? null,
    to: spec.to ?? spec.mesh ?? null,
    result,
    exitStatus,
    phase: status?.phase ?? null,
    spec,
    startedAt: metadata.creationTimestamp ?? null,
    endedAt: last && isEnd(last.phase) ? last.at : null,
    durationMs: totalMs(change, nowMs),
    confirmBy: status?.confirmBy ?? null,
    reason: status?.reason ?? null,
    attention: status?.attention ?? [],
    driver: status?.driver ?? null,
    phases: phaseRecords(change, nowMs),
    traps: status?.traps ?? [],
    verdicts: status?.verdicts ?? [],
    proof: {
      pairs: pairs.length,
      failed: pairs.filter(isFailed).length,
      failures: pairs.filter(isFailed),
      results: Object.fromEntries(
        [...evidence].sort(byName).map(([node, { results, heard }]) => [node, { results, heard }]),
      ),
    },
    waves: status?.waves ?? [],
    guard: {
      probes: probeFigures(evidence) ?? null,
      counters: counterFigures(evidence),
      breaches: progress.flatMap(({ node, breaches }) =>
        breaches.map(({ kind, node: towards, message }) => ({
          at: node,
          kind,
          towards: towards ?? null,
          message,
        })),
      ),
    },
    nodes: progress.map(({ breaches: _, ...one }) => one),
  };
}

function byName(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}
