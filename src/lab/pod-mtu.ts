/**
 * The MTUs of the lab's pods. `fixed`: their devices take what the fabric does, so that the path MTU of each
 * mode can be seen, and their sockets use what fits through every mode (VXLAN takes 50 bytes, 70 over IPv6).
 * `live`: what the node's agent says, as a CNI plugin would read it, and changed by it from then on.
 */

import { readFileSync } from "node:fs";
import { SwitchyardError } from "../lib/index.ts";

export const podMtus = ["fixed", "live"] as const;
export type PodMtuMode = (typeof podMtus)[number];

const FABRIC_MTU = 1500;
const SMALLEST_MTU = 1450;
const SMALLEST_DUAL_STACK_MTU = 1430;

/** @throws INVALID_ARGUMENT. */
export function parsePodMtu(text: string): PodMtuMode {
  const found = podMtus.find((name) => name === text);
  if (found !== undefined) return found;
  throw new SwitchyardError(
    "INVALID_ARGUMENT",
    `${JSON.stringify(text)} is no way to treat the MTU of pods: fixed or live`,
  );
}

/** File in which an agent of the lab says what new pods get. */
export const mtuFile = (nodeDirectory: string) => `${nodeDirectory}/mtu`;

/** Of a pod that is attached now. */
export function podMtuOptions(options: {
  readonly mode: PodMtuMode;
  readonly nodeDirectory: string;
  readonly dualStack: boolean;
}): { readonly mtu: number; readonly routeMtu?: number } {
  const { mode, nodeDirectory, dualStack } = options;
  const smallest = dualStack ? SMALLEST_DUAL_STACK_MTU : SMALLEST_MTU;
  if (mode === "fixed") return { mtu: FABRIC_MTU, routeMtu: smallest };
  return { mtu: readMtu(mtuFile(nodeDirectory)) ?? smallest };
}

/** undefined while the agent has not said anything. */
function readMtu(file: string): number | undefined {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
