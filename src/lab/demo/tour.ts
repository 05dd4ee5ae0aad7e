/** The first act: five plain patches of the pool under traffic, and what each mode is like. */

import { type ModeName, modeFields, modeName } from "../../model/index.ts";
import { labCommand } from "../suggestions.ts";
import { layout } from "../topology.ts";
import { tunnelDevicesGone } from "../tunnel-devices.ts";
import { measureMode } from "./measure.ts";
import type { ChangeFacts, ModeFacts } from "./report.ts";
import { runShown } from "./shown-command.ts";
import { counted, type DemoStage } from "./stage.ts";

export const TOUR_START: ModeName = "ipip";
const TOUR: readonly ModeName[] = [
  "none",
  "ipip-cross-subnet",
  "vxlan",
  "vxlan-cross-subnet",
  "ipip",
];

export interface TourResult {
  readonly changes: readonly ChangeFacts[];
  readonly modes: readonly ModeFacts[];
  /** Where probes were lost, in words. */
  readonly losses: readonly string[];
}

/** Takes a lab in mode {@link TOUR_START} through all modes and back to it. */
export async function tour(stage: DemoStage): Promise<TourResult> {
  const { lab, store, watcher, traffic, throughputSeconds = 1 } = stage;
  const changes: ChangeFacts[] = [];
  const modes: ModeFacts[] = [];
  const losses: string[] = [];
  const look = async (mode: ModeName) => {
    await showState(stage);
    if (modes.some((facts) => facts.mode === mode)) return;
    await traffic.pause(true);
    modes.push(await measureMode(lab, mode, throughputSeconds));
    await traffic.pause(false);
  };
  await watcher.realised(await store.get("IPPool", layout.poolName));
  await look(TOUR_START);
  for (const to of TOUR) {
    const from = modeName((await store.get("IPPool", layout.poolName)).spec);
    const { result, probes, losses: lost } = await counted(stage, () => patch(stage, from, to));
    changes.push({ from, to, convergedMs: result, ...probes });
    losses.push(...lost.map((line) => `${from} -> ${to}: ${line}`));
    await look(to);
  }
  return { changes, modes, losses };
}

/** One change, by the command an operator types; how long it took. */
async function patch(stage: DemoStage, from: ModeName, to: ModeName): Promise<number> {
  const { lab, store, watcher, clock, print } = stage;
  const startedMs = clock.monotonicMs();
  const fields = JSON.stringify({ spec: changedFields(from, to) });
  const command = `bin/switchyard patch ippool ${layout.poolName} --patch '${fields}'`;
  print(`\n${await runShown(lab, command)}`);
  await watcher.realised(await store.get("IPPool", layout.poolName));
  const convergedMs = Math.round(clock.monotonicMs() - startedMs);
  print(`every node had moved after ${convergedMs} ms`);
  // The old receive paths go last; that is part of the change, and of what its row counts.
  await tunnelDevicesGone(lab, to, clock);
  return convergedMs;
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
async function showState({ lab, print }: DemoStage): Promise<void> {
  const node = lab.nodes[0]?.name;
  print(`\n${await runShown(lab, "bin/switchyard get ippool -o wide")}\n`);
  print(
    await runShown(lab, `${labCommand(lab)} exec ${node} -- ip route | grep -E 'bird|proto 80'`),
  );
}
