/**
 * A mode change of a thousand nodes in one process: the real planner, state machine, driver and datastore, on a
 * clock that stands still between events; kernels and proofs are made up. Says what it costs the datastore.
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { POOL, Simulation } from "../src/mode/change/testing/simulation.ts";
import { requestChange } from "../src/mode/index.ts";
import type { Kind } from "../src/model/index.ts";
import { type Planning, planner, subnetsOf } from "./planned-nodes.ts";
import { type BenchRow, benchRow } from "./row.ts";

const SIZES = [100, 1_000];
/** What agents watch; the rest is watched by the driver alone. */
const WATCHED_BY_ALL: readonly Kind[] = ["Node", "IPPool", "NodeMode", "ModeChange"];

export async function run(progress: (line: string) => void): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const size of SIZES) rows.push(...(await measure(size, progress)));
  return rows;
}

async function measure(size: number, progress: (line: string) => void): Promise<BenchRow[]> {
  const planning: Planning = { plans: 0, tookMs: 0 };
  const it = new Simulation({
    subnets: subnetsOf(size),
    drivers: 1,
    settleMs: 3_000,
    idleMs: 100,
    choose: planner(size, planning),
  });
  progress(`${size} nodes come together`);
  await it.start();
  const before = new Map(it.writes);
  const realMs = performance.now();
  progress(`${size} nodes change from ipip to vxlan`);
  const spec = { pool: POOL, to: "vxlan", confirmWithinSeconds: 600, seed: 1 } as const;
  const { clock, store } = it;
  const { metadata } = await requestChange(store, { spec, clock, random: () => 0.5 });
  const phase = async () => (await it.change(metadata.name))?.status?.phase;
  // Of a thousand candidates one is simulated: it may have to wait for its turn.
  await it.run(120_000, async () => (await phase()) !== undefined);
  const startedMs = it.clock.monotonicMs();
  await it.run(3_600_000, async () => (await phase()) === "AwaitingConfirm");
  const movedMs = it.clock.monotonicMs() - startedMs;
  const heapBytes = await heapOfDriver(it);
  const change = await it.store.get("ModeChange", metadata.name);
  await it.store.update<"ModeChange">({ ...change, spec: { ...change.spec, confirmed: true } });
  it.addDriver("node1");
  await it.run(3_600_000, () => it.ended(metadata.name));
  const ended = await it.change(metadata.name);
  const wrong = [...it.agents.values()].filter((agent) =>
    [...agent.sends.values()].some((sent) => sent !== "vxlan"),
  ).length;
  const writes = [...it.writes].map(([kind, count]) => ({
    kind,
    count: count - (before.get(kind) ?? 0),
  }));
  const total = writes.reduce((sum, { count }) => sum + count, 0);
  const events = writes.reduce(
    (sum, { kind, count }) => sum + count * (WATCHED_BY_ALL.includes(kind) ? size : 1),
    0,
  );
  const ofDriver = writes.find(({ kind }) => kind === "ModeChange")?.count ?? 0;
  progress(writes.map(({ kind, count }) => `${kind} ${count}`).join(", "));
  progress(`${ended?.status?.phase}: ${ended?.status?.reason}`);
  const figure = { bench: "mode-change-simulated", case: `${size} nodes`, peer: "", peerValue: 0 };
  const row = (metric: string, value: number, unit: string, mostValue?: number) =>
    benchRow(
      { ...figure, metric, value: Math.round(value * 10) / 10, unit },
      mostValue === undefined ? {} : { mostValue },
    );
  const failed = ended?.status?.phase === "Done" ? wrong + it.crimes.length : size;
  await it.stop();
  return [
    row("nodes not at the new mode", failed, "nodes", 0),
    row("until every node had moved", movedMs / 1000, "s, simulated"),
    row("the whole simulation", (performance.now() - realMs) / 1000, "s, real"),
    row("planner", planning.tookMs / planning.plans, "ms/plan"),
    row("plans", planning.plans, "plans"),
    row("datastore writes per node", total / size, "writes", 15),
    row("writes of the change itself", ofDriver, "writes", 30),
    row("watch events per node", events / size, "events"),
    row("heap of the driver", heapBytes / 2 ** 20, "MiB", 64),
  ];
}

/** What is freed when it lets go: its copies of the datastore and what it knows of the change. */
async function heapOfDriver(it: Simulation): Promise<number> {
  const withDriver = liveBytes();
  for (const driver of it.drivers.splice(0)) await driver.stop();
  return Math.max(0, withDriver - liveBytes());
}

function liveBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}
