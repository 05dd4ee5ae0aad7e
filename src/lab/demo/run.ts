/** The guided tour: a live network changes its mode five times under traffic, and every packet is counted. */

import { writeFileSync } from "node:fs";
import { type Clock, SwitchyardError, systemClock } from "../../lib/index.ts";
import { labDown } from "../down.ts";
import type { LabState } from "../lab-state.ts";
import { checkPrerequisites } from "../prerequisites.ts";
import { labCommand, suggestions } from "../suggestions.ts";
import { labUp } from "../up.ts";
import { pathEnds } from "./measure.ts";
import { observedSource } from "./outside.ts";
import { runShown } from "./shown-command.ts";
import { renderChanges, renderModes } from "./tables.ts";
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

/** @returns the exit code: 0 if nothing was lost. */
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
    const { report, losses } = await tour(lab, { ...options, clock });
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
  print(
    await runShown(
      lab,
      `${labCommand(lab)} exec ${node.name} -- switchyard node status | grep IP-in-IP`,
    ),
  );
}
