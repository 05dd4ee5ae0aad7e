/** The guided tour: a live network changes its mode under traffic, by patches and by proof; every packet is counted. */

import { writeFileSync } from "node:fs";
import { type Clock, SwitchyardError, systemClock } from "../../lib/index.ts";
import { labDown } from "../down.ts";
import type { LabState } from "../lab-state.ts";
import { checkPrerequisites } from "../prerequisites.ts";
import { labCommand, suggestions } from "../suggestions.ts";
import { labUp } from "../up.ts";
import { pathEnds } from "./measure.ts";
import { observedSource } from "./outside.ts";
import { proved } from "./proved.ts";
import type { DemoReport } from "./report.ts";
import { runShown } from "./shown-command.ts";
import { type DemoStage, onStage } from "./stage.ts";
import { phaseLine, renderChanges, renderModeChanges, renderModes } from "./tables.ts";
import { TOUR_START, tour } from "./tour.ts";

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

/** @returns the exit code: 0 if nothing was lost, and the faulty fabric was refused for what it is. */
export async function runDemo(options: DemoOptions): Promise<number> {
  checkPrerequisites();
  const { print, clock = systemClock } = options;
  print(
    `A pod network on this machine: two subnets, a router that speaks BGP, four nodes, eight pods.\n`,
  );
  await labDown();
  const lab = await labUp({ mode: TOUR_START, onProgress: (line) => print(`  ${line}`) });
  try {
    await showNetwork(lab, options);
    const { report, losses, surprises } = await onStage(lab, { ...options, clock }, bothActs);
    const { changes, modeChanges, modes } = report;
    print(
      "\nEvery patch, with every pod probing every other pod and one TCP stream across the subnets:\n",
    );
    print(renderChanges(changes));
    print("\nBoth runs of `mode change`, under the same traffic:\n");
    print(renderModeChanges(modeChanges));
    for (const change of modeChanges) print(`\n${change.result}: ${phaseLine(change)}`);
    print("\nEvery mode, inside one subnet / across the router:\n");
    print(renderModes(modes));
    if (options.json) writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
    const all = [...changes, ...modeChanges];
    const lost = all.reduce((total, change) => total + change.lost, 0);
    const sent = all.reduce((total, change) => total + change.sent, 0);
    const what = `${changes.length} patches and ${modeChanges.length} runs of \`mode change\``;
    print(`\n${lost} of ${sent} probes lost in ${what}.`);
    for (const line of [...losses, ...surprises]) print(`  ${line}`);
    return lost === 0 && surprises.length === 0 ? 0 : 1;
  } finally {
    if (options.keep) print(`\n${suggestions(lab).join("\n")}`);
    else await labDown();
  }
}

async function bothActs(stage: DemoStage): Promise<{
  readonly report: DemoReport;
  readonly losses: readonly string[];
  readonly surprises: readonly string[];
}> {
  const { changes, modes, losses } = await tour(stage);
  const { modeChanges, losses: more, surprises } = await proved(stage);
  return { report: { changes, modeChanges, modes }, losses: [...losses, ...more], surprises };
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
  print(
    await runShown(
      lab,
      `${labCommand(lab)} exec ${node.name} -- switchyard node status | grep IP-in-IP`,
    ),
  );
}
