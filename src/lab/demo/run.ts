/** The guided tour: a live network changes its mode five times under traffic, and every packet is counted. */

import { writeFileSync } from "node:fs";
import { openApiClient } from "../../datastore/index.ts";
import { type Clock, SwitchyardError, sleep, systemClock } from "../../lib/index.ts";
import { labDown } from "../down.ts";
import type { LabState } from "../lab-state.ts";
import { type ModeName, modeOfPool, poolModeOf } from "../modes.ts";
import { checkPrerequisites } from "../prerequisites.ts";
import { type PairReport, Traffic } from "../probe/index.ts";
import { suggestions } from "../suggestions.ts";
import { layout } from "../topology.ts";
import { labUp } from "../up.ts";
import { type ModeWatcher, watchModes } from "./convergence.ts";
import { measureMode, pathEnds } from "./measure.ts";
import { observedSource } from "./outside.ts";
import type { ChangeFacts, DemoReport, ModeFacts } from "./report.ts";
import { runShown } from "./shown-command.ts";
import { renderChanges, renderModes } from "./tables.ts";

export interface DemoOptions {
  /** Writes the report here as JSON. */
  readonly json?: string;
  /** Leaves the lab running. */
  readonly keep?: boolean;
  /** Lines for the terminal. */
  readonly print: (line: string) => void;
  /** Over all ordered pairs of pods; 2,800 unless told. */
  readonly probesPerSecond?: number;
  /** Of each throughput measurement; 1 unless told. */
  readonly throughputSeconds?: number;
  readonly clock?: Clock;
}

const START: ModeName = "IPIP Always";
const TOUR: readonly ModeName[] = [
  "None",
  "IPIP CrossSubnet",
  "VXLAN Always",
  "VXLAN CrossSubnet",
  "IPIP Always",
];
/** Traffic before and after a change that belongs to its row. */
const MARGIN_MS = 500;

/** @returns the exit code: 0 if nothing was lost. */
export async function runDemo(options: DemoOptions): Promise<number> {
  checkPrerequisites();
  const { print, clock = systemClock } = options;
  print(
    `A pod network on this machine: two subnets, a router that speaks BGP, four nodes, eight pods.\n`,
  );
  await labDown();
  const lab = await labUp({ mode: START, onProgress: (line) => print(`  ${line}`) });
  try {
    await showNetwork(lab, options);
    const { report, losses } = await tour(lab, options, clock);
    print(
      "\nEvery change, with every pod probing every other pod and one TCP stream across the subnets:\n",
    );
    print(renderChanges(report.changes));
    print("\nEvery mode, inside one subnet / across the router:\n");
    print(renderModes(report.modes));
    if (options.json) writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
    const lost = report.changes.reduce((total, change) => total + change.lost, 0);
    const sent = report.changes.reduce((total, change) => total + change.sent, 0);
    print(`\n${lost} of ${sent} probes lost in ${report.changes.length} mode changes.`);
    for (const line of losses) print(`  ${line}`);
    return lost === 0 ? 0 : 1;
  } finally {
    if (options.keep) print(`\n${suggestions(lab).join("\n")}`);
    else await labDown();
  }
}

async function showNetwork(
  lab: LabState,
  { print, clock = systemClock }: DemoOptions,
): Promise<void> {
  const { from: pod } = pathEnds(lab);
  const outside = { name: "outside", ...lab.outside };
  const podSees = await observedSource(outside, pod, clock);
  print(
    `\nFrom outside to ${pod.name} by its own address ${pod.address}: arrives, from ${podSees}.`,
  );
  const outsideSees = await observedSource(pod, outside, clock);
  const node = lab.nodes.find((candidate) => candidate.address === outsideSees);
  if (!node) {
    throw new SwitchyardError(
      "LAB_FAILED",
      `outside sees ${outsideSees} for ${pod.name}, which is no node's address`,
    );
  }
  print(
    `From ${pod.name} to outside: outside sees ${outsideSees}, the address of ${node.name} (natOutgoing).\n`,
  );
}

interface TourResult {
  readonly report: DemoReport;
  /** Where probes were lost, in words. */
  readonly losses: readonly string[];
}

async function tour(lab: LabState, options: DemoOptions, clock: Clock): Promise<TourResult> {
  const { print } = options;
  const store = openApiClient({ socketPath: lab.socketPath });
  const watcher = await watchModes({ store, nodes: lab.nodes.map(({ name }) => name), clock });
  const { from, crossSubnet } = pathEnds(lab);
  const traffic = await Traffic.start({
    endpoints: lab.pods,
    probesPerSecond: options.probesPerSecond ?? 2800,
    stream: { from: from.name, to: crossSubnet.name },
  });
  const changes: ChangeFacts[] = [];
  const modes: ModeFacts[] = [];
  const losses: string[] = [];
  const look = async (mode: ModeName) => {
    await showState(lab, print);
    if (modes.some((facts) => facts.mode === mode)) return;
    await traffic.pause(true);
    modes.push(await measureMode(lab, mode, options.throughputSeconds ?? 1));
    await traffic.pause(false);
  };
  try {
    await watcher.realised(await store.get("IPPool", layout.poolName));
    await look(START);
    for (const to of TOUR) {
      const { facts, troubled } = await change({ lab, to, store, watcher, traffic, clock, print });
      changes.push(facts);
      losses.push(...troubled.filter((pair) => pair.lost > 0).map((pair) => lossLine(facts, pair)));
      await look(to);
    }
    return { report: { changes, modes }, losses };
  } finally {
    await traffic.stop();
    await watcher.stop();
    await store.close();
  }
}

interface ChangeOptions {
  readonly lab: LabState;
  readonly to: ModeName;
  readonly store: ReturnType<typeof openApiClient>;
  readonly watcher: ModeWatcher;
  readonly traffic: Traffic;
  readonly clock: Clock;
  readonly print: (line: string) => void;
}

/** One change, by the command an operator types. */
async function change(
  options: ChangeOptions,
): Promise<{ facts: ChangeFacts; troubled: readonly PairReport[] }> {
  const { lab, to, store, watcher, traffic, clock, print } = options;
  const before = await store.get("IPPool", layout.poolName);
  const from = modeOfPool(before.spec);
  await sleep(clock, MARGIN_MS);
  await traffic.beginWindow();
  await sleep(clock, MARGIN_MS);
  const startedMs = clock.monotonicMs();
  const patch = JSON.stringify({ spec: changedFields(from, to) });
  const command = `bin/switchyard patch ippool ${layout.poolName} --patch '${patch}'`;
  print(`\n${await runShown(lab, command)}`);
  const pool = await store.get("IPPool", layout.poolName);
  await watcher.realised(pool);
  const convergedMs = Math.round(clock.monotonicMs() - startedMs);
  print(`every node had moved after ${convergedMs} ms`);
  await watcher.narrowed(pool);
  await sleep(clock, MARGIN_MS);
  const { total, stream, troubled } = await traffic.endWindow();
  const { sent, lost, reordered, maxGapMs } = total;
  return {
    facts: {
      from,
      to,
      sent,
      lost,
      reordered,
      maxGapMs: Math.round(maxGapMs * 10) / 10,
      convergedMs,
      tcpResets: stream?.resets ?? 0,
      tcpRetransmits: stream?.retransmits ?? 0,
    },
    troubled,
  };
}

function changedFields(from: ModeName, to: ModeName): Record<string, string> {
  const old = poolModeOf(from);
  return Object.fromEntries(
    Object.entries(poolModeOf(to)).filter(
      ([field, value]) => old[field as keyof typeof old] !== value,
    ),
  );
}

/** The state the way operators look at it. */
async function showState(lab: LabState, print: (line: string) => void): Promise<void> {
  const node = lab.nodes[0]?.name;
  print(`\n${await runShown(lab, "bin/switchyard get ippool -o wide")}\n`);
  print(
    await runShown(lab, `bin/switchyard lab exec ${node} -- ip route | grep -E 'bird|proto 80'`),
  );
}

const lossLine = ({ from, to }: ChangeFacts, pair: PairReport) =>
  `${from} -> ${to}: ${pair.from} -> ${pair.to} lost ${pair.lost} of ${pair.sent}`;
