/**
 * A whole mode change, ipip to none, of labs of several sizes: one pod a node, IPv4, canary and waves as they are
 * unless told, confirmed from the start. What it takes by phase, what pods lose, what it costs.
 */

import { openApiClient } from "../src/datastore/index.ts";
import { type LabPodState, type LabState, labDown, labUp } from "../src/lab/index.ts";
import { Traffic } from "../src/lab/probe/index.ts";
import { type BenchRow, benchRow } from "./row.ts";
import { tellChange, type WatchedChange, watchChange } from "./watched-change.ts";

const LAB = "benchsizes";
const PROBES_PER_SECOND = 1_000;
/** Pods that are probed, each from each other; more would say nothing more and cost the lab its CPU. */
const MOST_PROBED = 16;
/** Dozens of agents that start at once need their time. */
const UP_WITHIN_MS = 300_000;

export async function measureSizes(
  sizes: readonly number[],
  progress: (line: string) => void,
): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const nodes of sizes) rows.push(...(await measureSize(nodes, progress)));
  return rows;
}

async function measureSize(nodes: number, progress: (line: string) => void): Promise<BenchRow[]> {
  await labDown({ name: LAB });
  try {
    const lab = await labUp({
      ...{ name: LAB, nodes, podsPerNode: 1, mode: "ipip", timeoutMs: UP_WITHIN_MS },
      onProgress: progress,
    });
    return sizeRows(nodes, await changeUnderTraffic(lab, progress));
  } finally {
    await labDown({ name: LAB });
  }
}

async function changeUnderTraffic(
  lab: LabState,
  progress: (line: string) => void,
): Promise<WatchedChange> {
  const endpoints = probed(lab.pods);
  const [first, last] = [endpoints[0], endpoints.at(-1)];
  if (!first || !last || first === last) throw new RangeError("the lab needs two nodes");
  progress(`${lab.nodes.length} nodes, ${endpoints.length} pods probed: ipip -> none`);
  const store = openApiClient({ socketPath: lab.socketPath });
  const traffic = await Traffic.start({
    ...{ endpoints, probesPerSecond: PROBES_PER_SECOND },
    stream: { from: first.name, to: last.name },
  });
  try {
    const change = await watchChange({
      ...{ lab, store, traffic },
      spec: { to: "none", confirmed: true },
    });
    tellChange(change, progress);
    return change;
  } finally {
    await traffic.stop();
    await store.close();
  }
}

/** Spread over all nodes, so that both subnets are among them. */
function probed(pods: readonly LabPodState[]): LabPodState[] {
  const every = Math.max(1, pods.length / MOST_PROBED);
  return pods.filter((_, index) => Math.floor(index / every) !== Math.floor((index - 1) / every));
}

function sizeRows(nodes: number, change: WatchedChange): BenchRow[] {
  const { ended, seen, probes, agents, server } = change;
  const row = (metric: string, value: number, unit: string, mostValue?: number) =>
    benchRow(
      {
        ...{ bench: "mode-change", case: `whole change, ${nodes} nodes`, metric, unit },
        ...{ value: Math.round(value * 10) / 10, peer: "", peerValue: 0 },
      },
      mostValue === undefined ? {} : { mostValue },
    );
  const each = (of: (agent: WatchedChange["agents"][number]) => number) => agents.map(of);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const cpuSeconds = each((agent) => agent.cpuSeconds);
  return [
    row("not done as asked", ended.status?.phase === "Done" ? 0 : 1, "changes", 0),
    row("whole change", change.totalMs / 1000, "s"),
    ...change.phases.map(({ phase, ms }) => row(phase, ms / 1000, "s")),
    row("pods' packets sent", seen.total.sent, "probes"),
    row("pods' packets lost", seen.total.lost, "probes", 0),
    row("TCP resets", seen.stream?.resets ?? 0, "resets", 0),
    row("longest TCP stall", seen.stream?.longestStallMs ?? 0, "ms"),
    row("proof packets", probes.proofPackets, "packets"),
    row("proof traffic", probes.proofBytes / 2 ** 20, "MiB"),
    row("live probes", probes.liveProbes, "packets"),
    row("live probes lost", probes.liveLost, "packets"),
    row("live probes, longest gap", probes.liveLongestGapMs, "ms"),
    row("live probes, round trip p99, worst node", probes.liveRttP99Us / 1000, "ms"),
    row("datastore writes per node", change.writes / nodes, "writes"),
    row("writes of the change itself", change.writesByKind.get("ModeChange") ?? 0, "writes"),
    row("CPU of an agent, mean", sum(cpuSeconds) / nodes, "s"),
    row("CPU of an agent, most", Math.max(...cpuSeconds), "s"),
    row("an agent waits for a CPU, mean", sum(each((one) => one.waitedSeconds)) / nodes, "s"),
    row("memory of an agent, peak", Math.max(...each((one) => one.peakBytes)) / 2 ** 20, "MiB"),
    row("CPU of the datastore", server.cpuSeconds, "s"),
    row("slowest answer of an agent's status", change.slowestAnswerMs, "ms"),
  ];
}
