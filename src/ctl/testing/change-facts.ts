/** Changes as a driver and agents would have written them, for tests of what is shown. */

import type {
  ModeChange,
  ModeChangeSpec,
  ModeChangeStatus,
  ModeEvidenceStatus,
  NodeModeStatus,
  ProofResult,
} from "../../model/index.ts";
import type { ChangeFacts } from "../output/change/facts.ts";

export const startMs = Date.UTC(2026, 0, 2, 3, 4, 5);
export const atSecond = (seconds: number) => new Date(startMs + seconds * 1000).toISOString();

export const key = "ab".repeat(32);

export function changeOf(
  status: Partial<ModeChangeStatus> | undefined,
  spec: Partial<ModeChangeSpec> = {},
): ModeChange {
  const phase = status?.phase ?? "Planning";
  return {
    apiVersion: "switchyard.io/v1",
    kind: "ModeChange",
    metadata: { name: "pods-1", creationTimestamp: atSecond(0) },
    spec: { pool: "pods", to: "none", requestedBy: "root@host", ...spec },
    ...(status && {
      status: { phase, phaseSince: atSecond(0), from: "ipip", history: [], ...status },
    }),
  };
}

export function nodeModeOf(changes: NodeModeStatus["changes"]): NodeModeStatus {
  return {
    accepts: ["none", "ipip"],
    sends: ["none"],
    destinations: { none: 3 },
    pools: {},
    ...(changes && { changes }),
    failures: [],
    agentVersion: "0",
    updatedAt: atSecond(0),
  };
}

export function evidenceOf(seen: Partial<ModeEvidenceStatus>): ModeEvidenceStatus {
  const none = { problems: [], results: [], heard: [] };
  return { ready: true, proved: "no", ...none, updatedAt: atSecond(0), ...seen };
}

export function guardOf(
  guard: Partial<NonNullable<ModeEvidenceStatus["guard"]>> = {},
): Pick<ModeEvidenceStatus, "guard"> {
  const probes = { sent: 100, lost: 0, rttP50Us: 210, rttP99Us: 900, longestGapMs: 12 };
  return { guard: { step: 5, quiet: true, breaches: [], probes, counters: {}, ...guard } };
}

/** A pair that passed everything. */
export function goodResult(node: string, result: Partial<ProofResult> = {}): ProofResult {
  return {
    node,
    encapsulation: "none",
    both: { sent: 10, received: 10 },
    full: { bytes: 1450, arrived: true, oneMore: "refused" },
    tcp: { bytes: 1_000_000, completed: true, tookUs: 9000, stallUs: 100 },
    loss: { sent: 1000, received: 1000, rttP50Us: 200, rttP99Us: 700 },
    ...result,
  };
}

export function factsOf(
  change: ModeChange,
  facts: Partial<Omit<ChangeFacts, "change">> = {},
): ChangeFacts {
  const nodes = ["node1", "node2", "node3"];
  const none = { nodeModes: new Map(), evidence: new Map() };
  return { change, nodes, ...none, nowMs: startMs + 10_000, ...facts };
}

/** `count` nodes, each of which has proved its way to every other one, or to the next `partners`. */
export function provedCluster(
  count: number,
  { partners = count - 1, name = (index: number) => `node${index + 1}` } = {},
): Pick<ChangeFacts, "nodes" | "evidence"> {
  const nodes = Array.from({ length: count }, (_, index) => name(index));
  const evidence = nodes.map((node, index) => {
    const others = Array.from(
      { length: partners },
      (_, next) => nodes[(index + 1 + next) % count]!,
    );
    const results = others.map((other) => goodResult(other));
    return [node, evidenceOf({ proved: "full", results, heard: nodes })] as const;
  });
  return { nodes, evidence: new Map(evidence) };
}
