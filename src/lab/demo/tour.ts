/** The tour itself: five mode changes under traffic, each by the command an operator types. */

import { openApiClient } from "../../datastore/index.ts";
import { type Clock, sleep } from "../../lib/index.ts";
import { type ModeName, modeFields, modeName } from "../../model/index.ts";
import { type ModeWatcher, watchModes } from "../convergence.ts";
import type { LabState } from "../lab-state.ts";
import { type PairReport, Traffic } from "../probe/index.ts";
import { labCommand } from "../suggestions.ts";
import { layout } from "../topology.ts";
import { tunnelDevicesGone } from "../tunnel-devices.ts";
import { measureMode, pathEnds } from "./measure.ts";
import type { ChangeFacts, DemoReport, ModeFacts } from "./report.ts";
import { runShown } from "./shown-command.ts";

export const TOUR_START: ModeName = "ipip";
const TOUR: readonly ModeName[] = [
  "none",
  "ipip-cross-subnet",
  "vxlan",
  "vxlan-cross-subnet",
  "ipip",
];
/** Traffic before and after a change that belongs to its row. */
const MARGIN_MS = 500;

export interface TourOptions {
  readonly print: (line: string) => void;
  readonly clock: Clock;
  /** Over all ordered pairs of pods; 2,800 unless told. */
  readonly probesPerSecond?: number;
  /** Of each throughput measurement; 1 unless told. */
  readonly throughputSeconds?: number;
}

export interface TourResult {
  readonly report: DemoReport;
  /** Where probes were lost, in words. */
  readonly losses: readonly string[];
}

/** Takes a lab in mode {@link TOUR_START} through all modes and back to it. */
export async function tour(lab: LabState, options: TourOptions): Promise<TourResult> {
  const { print, clock } = options;
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
    await look(TOUR_START);
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
  const from = modeName(before.spec);
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
  // The old receive paths go last; that is part of the change, and of what its row counts.
  await tunnelDevicesGone(lab, to, clock);
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
  const old = modeFields(from);
  return Object.fromEntries(
    Object.entries(modeFields(to)).filter(
      ([field, value]) => old[field as keyof typeof old] !== value,
    ),
  );
}

/** The state the way operators look at it. */
async function showState(lab: LabState, print: (line: string) => void): Promise<void> {
  const node = lab.nodes[0]?.name;
  print(`\n${await runShown(lab, "bin/switchyard get ippool -o wide")}\n`);
  print(
    await runShown(lab, `${labCommand(lab)} exec ${node} -- ip route | grep -E 'bird|proto 80'`),
  );
}

const lossLine = ({ from, to }: ChangeFacts, pair: PairReport) =>
  `${from} -> ${to}: ${pair.from} -> ${pair.to} lost ${pair.lost} of ${pair.sent}`;
