/** The mode change under load: what it loses and how long it takes, and what each mode costs a packet. */

import {
  type ChangeFacts,
  type ModeFacts,
  onStage,
  TOUR_START,
  tour,
} from "../src/lab/demo/index.ts";
import { type LabState, labDown, labUp } from "../src/lab/index.ts";
import { measureRoundTrip } from "../src/lab/probe/index.ts";
import { systemClock } from "../src/lib/index.ts";
import { measurePairs } from "./mode-change-pairs.ts";
import { measureSizes } from "./mode-change-sizes.ts";
import { measureNaive, type NaiveResult } from "./naive.ts";
import type { BenchOptions } from "./options.ts";
import { type BenchRow, benchRow } from "./row.ts";

const PROBES_PER_SECOND = 5000;
const LAB = "bench";

/** The whole machine instead of plain patches, when asked for: minutes a size, a quarter of an hour for the pairs. */
export async function run(
  progress: (line: string) => void,
  { nodes, pairs }: BenchOptions,
): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  if (nodes) rows.push(...(await measureSizes(nodes, progress)));
  if (pairs) rows.push(...(await measurePairs(progress)));
  return nodes || pairs ? rows : await measurePatches(progress);
}

async function measurePatches(progress: (line: string) => void): Promise<BenchRow[]> {
  await labDown({ name: LAB });
  try {
    const lab = await labUp({ name: LAB, mode: TOUR_START, onProgress: progress });
    const options = { print: progress, clock: systemClock, probesPerSecond: PROBES_PER_SECOND };
    const { changes, modes, losses } = await onStage(lab, options, tour);
    for (const line of losses) progress(line);
    const rawUs = rawRoundTripUs(lab);
    progress("the naive ways, on two nodes whose agents are dead");
    const naive = await measureNaive(lab, PROBES_PER_SECOND);
    return [
      ...changes.flatMap((change) => changeRows(change, naive)),
      ...modes.flatMap((mode) => roundTripRows(mode, rawUs)),
    ];
  } finally {
    await labDown({ name: LAB });
  }
}

/** Between two nodes of one subnet, nothing of ours on the way. */
function rawRoundTripUs(lab: LabState): number {
  const [a, b] = lab.nodes;
  if (!a || !b) throw new RangeError("the lab needs two nodes");
  return measureRoundTrip({ from: a, to: b, count: 10_000 }).p50Us;
}

function changeRows(change: ChangeFacts, naive: NaiveResult): BenchRow[] {
  const figure = { bench: "mode-change", case: `${change.from} -> ${change.to}` };
  const { deleteThenAdd, deviceFirst } = naive;
  const lost = { ...figure, metric: "lost", value: change.lost, unit: "probes" };
  const gap = { ...figure, metric: "longest gap", value: change.maxGapMs, unit: "ms" };
  const first = "device torn down first, nodes 200 ms apart";
  return [
    benchRow({ ...lost, peer: "delete then add", peerValue: deleteThenAdd.lost }, { mostValue: 0 }),
    benchRow({ ...lost, peer: first, peerValue: deviceFirst.lost }, { mostValue: 0 }),
    benchRow({ ...gap, peer: first, peerValue: Math.round(deviceFirst.maxGapMs) }),
    benchRow({
      ...figure,
      metric: "every node moved",
      value: change.convergedMs,
      unit: "ms",
      peer: "",
      peerValue: 0,
    }),
  ];
}

/** Measured on kernel 6.18, 2 vCPU; the budgets leave room for the noise of such a machine. */
const ROUND_TRIP_BUDGETS: Readonly<Record<string, number>> = {
  ipip: 1.7,
  "ipip-cross-subnet": 1.5,
  none: 1.5,
  vxlan: 1.9,
  "vxlan-cross-subnet": 1.5,
};

function roundTripRows({ mode, rtt }: ModeFacts, rawUs: number): BenchRow[] {
  return [
    benchRow(
      {
        bench: "mode-change",
        case: `pod to pod, one subnet, ${mode}`,
        metric: "round trip p50",
        value: rtt.sameSubnet.p50Us,
        unit: "us",
        peer: "raw node to node",
        peerValue: rawUs,
      },
      { mostRatio: ROUND_TRIP_BUDGETS[mode] ?? 2 },
    ),
  ];
}
