/**
 * What can be done with a lab, for the door: each operation loads its modules when it is called, so that
 * `lab exec` does not pay for what `lab up` needs.
 */

import type { Clock } from "../lib/index.ts";
import type { ModeName } from "../model/index.ts";
import type { ModeWatcher, WatchModesOptions } from "./convergence.ts";
import type { LabDownReport } from "./down.ts";
import type { LabFault } from "./fault/operations.ts";
import type { FaultSpec } from "./fault/spec.ts";
import type { LabState } from "./lab-state.ts";
import type { AgentAnswer, RouterAnswer } from "./readiness.ts";
import type { LabStatus } from "./status.ts";
import type { LabUpOptions } from "./up.ts";

/** Which lab: `sy` unless told. */
export interface LabReference {
  readonly name?: string;
}

/** Brings a lab up, or back up. @throws PREREQUISITE_MISSING, INVALID_ARGUMENT, LAB_FAILED. */
export async function labUp(options: LabUpOptions = {}): Promise<LabState> {
  return await (await import("./up.ts")).labUp(options);
}

/** Leaves nothing; that there is no lab is no error. @throws PREREQUISITE_MISSING, LAB_FAILED. */
export async function labDown(reference: LabReference = {}): Promise<LabDownReport> {
  return await (await import("./down.ts")).labDown(reference);
}

/** Asks every process; undefined when there is no such lab. */
export async function labStatus(reference: LabReference = {}): Promise<LabStatus | undefined> {
  return await (await import("./status.ts")).labStatus(reference);
}

/** Where everything is; undefined when there is no such lab. */
export async function loadLab(reference: LabReference = {}): Promise<LabState | undefined> {
  return await (await import("./lab-state.ts")).loadLab(reference);
}

/** Follows what the nodes of a cluster say they have reached. */
export async function watchModes(options: WatchModesOptions): Promise<ModeWatcher> {
  return await (await import("./convergence.ts")).watchModes(options);
}

/** Waits until no node's kernel holds a tunnel device that the mode does not need. */
export async function tunnelDevicesGone(
  state: LabState,
  mode: ModeName,
  clock: Clock,
): Promise<void> {
  await (await import("./tunnel-devices.ts")).tunnelDevicesGone(state, mode, clock);
}

/** Signals a node's agent, SIGKILL unless told, and waits for its end. @throws LAB_FAILED. */
export async function killAgent(
  state: LabState,
  node: string,
  signal: NodeJS.Signals = "SIGKILL",
): Promise<void> {
  await (await import("./agents.ts")).killAgent(state, node, signal);
}

/** Starts a node's agent unless it runs; its pid, when it is ready. @throws LAB_FAILED. */
export async function startAgent(state: LabState, node: string): Promise<number> {
  return await (await import("./agents.ts")).startAgent(state, node);
}

/** kill -9 if it runs, and start. @throws LAB_FAILED. */
export async function restartAgent(state: LabState, node: string): Promise<number> {
  return await (await import("./agents.ts")).restartAgent(state, node);
}

/** What the agent behind this socket says of itself. @throws LAB_FAILED when it does not answer. */
export async function askAgent(socketPath: string): Promise<AgentAnswer> {
  return await (await import("./readiness.ts")).askAgent(socketPath);
}

/** What the router behind this socket says of itself. @throws LAB_FAILED when it does not answer. */
export async function askRouter(socketPath: string): Promise<RouterAnswer> {
  return await (await import("./readiness.ts")).askRouter(socketPath);
}

/** Makes the fabric faulty; what the fault does not name is not disturbed. @throws INVALID_ARGUMENT, LAB_FAILED. */
export async function addFault(state: LabState, spec: FaultSpec): Promise<LabFault> {
  return await (await import("./fault/operations.ts")).addFault(state, spec);
}

/** Takes one fault away. @throws INVALID_ARGUMENT when there is no such fault, LAB_FAILED. */
export async function removeFault(state: LabState, id: number): Promise<void> {
  await (await import("./fault/operations.ts")).removeFault(state, id);
}

/** Takes all faults away; how many there were. @throws LAB_FAILED. */
export async function removeFaults(state: LabState): Promise<number> {
  return await (await import("./fault/operations.ts")).removeFaults(state);
}

/** The faults of a lab, in the order in which they were added. @throws LAB_FAILED. */
export async function listFaults(state: LabState): Promise<readonly LabFault[]> {
  return await (await import("./fault/operations.ts")).listFaults(state);
}
