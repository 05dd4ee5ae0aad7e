/** `mode history`: a line per change, the newest last. Pure. */

import type { ModeChange, ModeEvidence, ModeEvidenceStatus } from "../../../model/index.ts";
import { formatTable } from "../table.ts";
import { probeFigures } from "./facts.ts";
import { totalMs } from "./phases.ts";
import { durationText } from "./text.ts";

export interface HistoryRow {
  readonly id: string;
  readonly pool: string;
  readonly from: string;
  readonly to: string;
  readonly result: string;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly requestedBy: string;
  /** Live probes that were lost; undefined where none were sent. */
  readonly lost: number | undefined;
}

export interface HistoryFacts {
  readonly changes: readonly ModeChange[];
  readonly evidence: readonly ModeEvidence[];
  readonly nowMs: number;
}

/** By the time at which they were asked for. */
export function historyRows({ changes, evidence, nowMs }: HistoryFacts): readonly HistoryRow[] {
  const seen = new Map<string, Map<string, ModeEvidenceStatus>>();
  for (const { spec, status } of evidence) {
    if (!status) continue;
    const nodes = seen.get(spec.change) ?? new Map<string, ModeEvidenceStatus>();
    seen.set(spec.change, nodes.set(spec.node, status));
  }
  return changes
    .map((change): HistoryRow => {
      const { metadata, spec, status } = change;
      return {
        id: metadata.name,
        pool: spec.pool ?? "(mesh)",
        from: status?.from ?? "-",
        to: spec.to ?? spec.mesh ?? "-",
        result: resultOf(change),
        startedAt: metadata.creationTimestamp ?? status?.history[0]?.at ?? "-",
        durationMs: totalMs(change, nowMs),
        requestedBy: spec.requestedBy ?? "-",
        lost: probeFigures(seen.get(metadata.name) ?? new Map())?.lost,
      };
    })
    .sort((a, b) => (a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : 0));
}

function resultOf({ spec, status }: ModeChange): string {
  if (status === undefined) return "not begun";
  const attention = status.attention?.length ? "!" : "";
  if (status.phase === "Done" && spec.proveOnly) return `Proved${attention}`;
  return `${status.phase}${attention}`;
}

export function renderHistory(rows: readonly HistoryRow[]): string {
  return formatTable(
    ["ID", "POOL", "FROM", "TO", "RESULT", "STARTED", "TOOK", "LOST", "BY"],
    rows.map((row) => [
      row.id,
      row.pool,
      row.from,
      row.to,
      row.result,
      row.startedAt,
      durationText(row.durationMs),
      row.lost === undefined ? "-" : row.lost === 0 ? "none" : String(row.lost),
      row.requestedBy,
    ]),
  );
}
