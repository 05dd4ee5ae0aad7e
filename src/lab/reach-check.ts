/** After `up`: every pod is reached from outside and from one pod of every other node. */

import { type Clock, ipAddress, SwitchyardError } from "../lib/index.ts";
import type { LabPodState, LabState } from "./lab-state.ts";
import { whyUnreachable } from "./reach.ts";

interface Path {
  readonly from: string;
  readonly namespace: string;
  readonly to: LabPodState;
}

/** For a node's routes to arrive where they are needed, its sessions being up; and for some SYNs. */
const timeoutMs = 10_000;

/** @throws LAB_FAILED naming every pair that fails, and the logs to read. */
export async function checkReach(state: LabState, clock: Clock): Promise<void> {
  const failures: string[] = [];
  const logs = new Set<string>();
  for (const path of pathsToCheck(state)) {
    const why = await whyNot(path, clock);
    if (why === undefined) continue;
    failures.push(`\n  ${path.from} to ${path.to.name} (${path.to.node}): ${why}`);
    const node = state.nodes.find(({ name }) => name === path.to.node);
    if (node !== undefined) logs.add(node.logFile);
    // One line per cause is enough; each costs the whole time.
    if (failures.length === 3) break;
  }
  if (failures.length === 0) return;
  throw new SwitchyardError(
    "LAB_FAILED",
    `pods are not reached:${failures.join("")}\n  logs: ${[...logs].join(" ")}`,
  );
}

/** Of the first of the pod's addresses that is not reached. */
async function whyNot({ namespace, to }: Path, clock: Clock): Promise<string | undefined> {
  for (const text of [to.address, ...(to.address6 === undefined ? [] : [to.address6])]) {
    const address = ipAddress(text);
    const why = await whyUnreachable({ namespace, address, timeoutMs }, clock);
    if (why !== undefined) return why;
  }
  return undefined;
}

export function pathsToCheck(state: LabState): Path[] {
  const fromOutside = state.pods.map((to) => {
    return { from: "outside", namespace: state.outside.namespace, to };
  });
  const firsts = state.nodes.flatMap(
    ({ name }) => state.pods.find(({ node }) => node === name) ?? [],
  );
  const between = firsts.flatMap((from) =>
    firsts
      .filter((to) => to !== from)
      .map((to) => ({ from: from.name, namespace: from.namespace, to })),
  );
  return [...fromOutside, ...between];
}
