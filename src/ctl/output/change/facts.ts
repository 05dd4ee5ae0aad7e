/**
 * What the datastore tells of one mode change, and the figures that everything shown is made of. Pure:
 * progress, reports and the JSON document are functions of these facts.
 */

import type {
  Breach,
  ModeChange,
  ModeEvidenceStatus,
  Node,
  NodeModeStatus,
} from "../../../model/index.ts";

export interface ChangeFacts {
  readonly change: ModeChange;
  readonly nodes: readonly Node[];
  readonly nodeModes: ReadonlyMap<string, NodeModeStatus>;
  /** By node: what each saw of this change. */
  readonly evidence: ReadonlyMap<string, ModeEvidenceStatus>;
  readonly nowMs: number;
}

/** How far one node has come. */
export interface NodeProgress {
  readonly node: string;
  readonly widened: boolean;
  readonly proved: "no" | "first" | "full";
  /** The orders say that it sends the new way. */
  readonly ordered: boolean;
  /** It says that it does: no longer true at once when it goes back. */
  readonly moved: boolean;
  /** It acts on orders, or has not seen yet that there are none any more. */
  readonly obeys: boolean;
  /** Its guard has watched the present step to the end, and nothing was wrong. */
  readonly quiet: boolean;
  readonly breaches: readonly Breach[];
  readonly problems: readonly string[];
}

export interface ProbeFigures {
  readonly sent: number;
  readonly lost: number;
  /** Of the worst node. */
  readonly rttP50Us: number;
  readonly rttP99Us: number;
  readonly longestGapMs: number;
}

export function nodeProgress(facts: ChangeFacts): readonly NodeProgress[] {
  const { change, nodeModes, evidence } = facts;
  const orders = change.status?.orders;
  const ordered = new Set(orders === undefined || orders.moved === "all" ? [] : orders.moved);
  return allNodes(facts).map((node) => {
    const said = nodeModes.get(node)?.changes?.[change.metadata.name];
    const seen = evidence.get(node);
    return {
      node,
      widened: said?.widened ?? false,
      proved: seen?.proved ?? "no",
      ordered: orders?.moved === "all" || ordered.has(node),
      moved: said?.moved ?? false,
      obeys: said !== undefined,
      quiet: seen?.guard !== undefined && seen.guard.step === orders?.step && seen.guard.quiet,
      breaches: seen?.guard?.breaches ?? [],
      problems: seen?.problems ?? [],
    };
  });
}

/** Nodes of the cluster, and those that the change still names although they are gone. */
export function allNodes({ change, nodes }: ChangeFacts): readonly string[] {
  const names = nodes.map(({ metadata }) => metadata.name);
  const named = new Set([...names, ...(change.status?.waves ?? []).flat()]);
  return [...named].sort(byNumber.compare);
}

/** node2 before node10. */
export const byNumber = new Intl.Collator("en", { numeric: true });

/** Live probes over all nodes; undefined where no guard has spoken. */
export function probeFigures(
  evidence: ReadonlyMap<string, ModeEvidenceStatus>,
): ProbeFigures | undefined {
  const probes = [...evidence.values()].flatMap(({ guard }) => (guard ? [guard.probes] : []));
  if (probes.length === 0) return undefined;
  const sum = (of: (one: (typeof probes)[number]) => number) =>
    probes.reduce((total, one) => total + of(one), 0);
  const worst = (of: (one: (typeof probes)[number]) => number) =>
    probes.reduce((most, one) => Math.max(most, of(one)), 0);
  return {
    sent: sum(({ sent }) => sent),
    lost: sum(({ lost }) => lost),
    rttP50Us: worst(({ rttP50Us }) => rttP50Us),
    rttP99Us: worst(({ rttP99Us }) => rttP99Us),
    longestGapMs: worst(({ longestGapMs }) => longestGapMs),
  };
}

/** How far the kernels' counters rose, over all nodes; those that stand still are left out. */
export function counterFigures(
  evidence: ReadonlyMap<string, ModeEvidenceStatus>,
): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  for (const { guard } of evidence.values()) {
    for (const [name, value] of Object.entries(guard?.counters ?? {})) {
      if (value !== 0) sums.set(name, (sums.get(name) ?? 0) + value);
    }
  }
  return Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
}
