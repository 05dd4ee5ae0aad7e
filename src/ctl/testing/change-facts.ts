/** Changes as a driver and agents would have written them, for tests of what is shown. */

import { probePairs } from "../../mode/index.ts";
import type {
  ModeChange,
  ModeChangeSpec,
  ModeChangeStatus,
  ModeEvidenceStatus,
  Node,
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

export function nodeOf(name: string, index = 0): Node {
  const apiVersion = "projectcalico.org/v3";
  const ipv4Address = `10.0.${index >> 8}.${index & 255}/16`;
  return { apiVersion, kind: "Node", metadata: { name }, spec: { bgp: { ipv4Address } } };
}

/** A pair that passed everything. */
export function goodResult(node: string, result: Partial<ProofResult> = {}): ProofResult {
  return {
    node,
    encapsulation: "none",
    first: { sent: 3 },
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
  const nodes = ["node1", "node2", "node3"].map(nodeOf);
  const nodeModes = new Map(
    (facts.nodes ?? nodes).map((node) => [node.metadata.name, nodeModeOf(undefined)]),
  );
  return { change, nodes, nodeModes, evidence: new Map(), nowMs: startMs + 10_000, ...facts };
}

/** `count` nodes, each of which has proved its way to every partner that the pairing gives it. */
export function provedCluster(
  count: number,
  { name = (index: number) => `node${index + 1}` } = {},
): Pick<ChangeFacts, "nodes" | "evidence"> {
  const nodes = Array.from({ length: count }, (_, index) => nodeOf(name(index), index));
  const proving = nodes.map(({ metadata }) => ({ name: metadata.name, subnet: "10.0.0.0/16" }));
  const partners = Map.groupBy(probePairs({ nodes: proving, seed: 0 }).pairs, ({ from }) => from);
  const evidence = proving.map(({ name: node }) => {
    const others = (partners.get(node) ?? []).map(({ to }) => to);
    const results = others.map((other) => goodResult(other));
    return [node, evidenceOf({ proved: "full", results, heard: others })] as const;
  });
  return { nodes, evidence: new Map(evidence) };
}
