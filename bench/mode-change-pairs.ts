/**
 * Each of the 20 ordered pairs of modes once through the whole machine, in a lab of four nodes that move one after
 * the other, seconds apart, under traffic: what pods lose, and for how long a TCP connection stands still.
 */

import { openApiClient } from "../src/datastore/index.ts";
import { type LabState, labDown, labUp } from "../src/lab/index.ts";
import { type StreamCounts, Traffic } from "../src/lab/probe/index.ts";
import { sleep, systemClock } from "../src/lib/index.ts";
import { type ModeName, modeNames } from "../src/model/index.ts";
import { roundTrip } from "./round-trip.ts";
import { type BenchRow, benchRow } from "./row.ts";
import { tellChange, type WatchedChange, watchChange } from "./watched-change.ts";

const LAB = "benchpairs";
const PROBES_PER_SECOND = 5_000;
/** No connection of a pod is to stand still for longer. */
const MOST_STALL_MS = 50;
/** As long as a change takes here. */
const REST_MS = 40_000;
const START: ModeName = "ipip";

export async function measurePairs(progress: (line: string) => void): Promise<BenchRow[]> {
  await labDown({ name: LAB });
  try {
    const lab = await labUp({ name: LAB, podsPerNode: 1, mode: START, onProgress: progress });
    return await walk(lab, progress);
  } finally {
    await labDown({ name: LAB });
  }
}

async function walk(lab: LabState, progress: (line: string) => void): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  const { pods } = lab;
  const store = openApiClient({ socketPath: lab.socketPath });
  const traffic = await Traffic.start({
    ...{ endpoints: pods, probesPerSecond: PROBES_PER_SECOND },
    stream: { from: pods[0]?.name ?? "", to: pods.at(-1)?.name ?? "" },
  });
  try {
    const atRest = await restUnder(traffic, progress);
    for (const [from, to] of roundTrip(modeNames, START)) {
      progress(`${from} -> ${to}`);
      const spec = { to, canary: 1, wave: "1", confirmed: true } as const;
      const change = await watchChange({ lab, store, traffic, spec });
      tellChange(change, progress);
      rows.push(...pairRows(`${from} -> ${to}, nodes seconds apart`, change, atRest));
      // The next begins where this one should have ended.
      if (change.ended.status?.phase !== "Done") break;
    }
    return rows;
  } finally {
    await traffic.stop();
    await store.close();
  }
}

/** The same traffic for as long while nobody changes anything: what the machine alone does to it. */
async function restUnder(
  traffic: Traffic,
  progress: (line: string) => void,
): Promise<StreamCounts | undefined> {
  progress(`at rest for ${REST_MS / 1000} s`);
  await traffic.beginWindow();
  await sleep(systemClock, REST_MS);
  return (await traffic.endWindow()).stream;
}

function pairRows(
  title: string,
  { ended, seen, totalMs }: WatchedChange,
  atRest: StreamCounts | undefined,
): BenchRow[] {
  const figure = { bench: "mode-change", case: title, peer: "", peerValue: 0 };
  const row = (metric: string, value: number, unit: string, mostValue?: number) =>
    benchRow(
      { ...figure, metric, unit, value: Math.round(value * 10) / 10 },
      mostValue === undefined ? {} : { mostValue },
    );
  const besideRest = (
    figures: Pick<BenchRow, "metric" | "unit">,
    of: (stream: StreamCounts) => number,
    budget: { readonly mostValue?: number } = {},
  ) => {
    const [value, peerValue] = [seen.stream, atRest].map((stream) =>
      stream ? Math.round(of(stream) * 10) / 10 : 0,
    );
    const beside = { peer: "at rest", value: value ?? 0, peerValue: peerValue ?? 0 };
    return benchRow({ ...figure, ...figures, ...beside }, budget);
  };
  return [
    row("not done as asked", ended.status?.phase === "Done" ? 0 : 1, "changes", 0),
    row("sent", seen.total.sent, "probes"),
    row("lost", seen.total.lost, "probes", 0),
    row("TCP resets", seen.stream?.resets ?? 0, "resets", 0),
    besideRest(
      { metric: "TCP segments sent again", unit: "segments" },
      ({ retransmits }) => retransmits,
    ),
    besideRest(
      { metric: "longest TCP stall", unit: "ms" },
      ({ longestStallMs }) => longestStallMs,
      { mostValue: MOST_STALL_MS },
    ),
    row("whole change", totalMs / 1000, "s"),
  ];
}
