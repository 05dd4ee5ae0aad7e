/** Starts a process of the lab unless it runs, and writes down which one it is. */

import { isAlive, markedProcesses, type ProcessIdentity } from "./process-identity.ts";
import { type ProcessSpec, startProcess } from "./processes.ts";
import { type WaitOptions, waitUntilReady } from "./readiness.ts";
import type { RecordHolder } from "./record-holder.ts";

export interface EnsuredProcess {
  readonly spec: ProcessSpec;
  readonly identity: ProcessIdentity;
  /** Started by this call; else it was there. */
  readonly started: boolean;
}

export async function ensureProcess(
  spec: ProcessSpec,
  holder: RecordHolder,
): Promise<EnsuredProcess> {
  const known = holder.record.processes[spec.name];
  if (known !== undefined && isAlive(known)) return { spec, identity: known, started: false };
  // One that was started by an `up` which was killed before it could write that down.
  const orphan = markedProcesses(spec.labDirectory).get(spec.name)?.[0];
  const identity = orphan ?? (await startProcess(spec));
  holder.setProcess(spec.name, identity);
  return { spec, identity, started: orphan === undefined };
}

/**
 * Waits until it is ready; the process that is, which may be another: one that was there may have been
 * about to end (killed a moment ago, say), and is then started anew.
 */
export async function ensureReady(
  ensured: EnsuredProcess,
  holder: RecordHolder,
  wait: Omit<WaitOptions, "process" | "logFile">,
): Promise<ProcessIdentity> {
  const { spec, identity, started } = ensured;
  try {
    await waitUntilReady({ ...wait, process: identity, logFile: spec.logFile });
    return identity;
  } catch (error) {
    if (started || isAlive(identity)) throw error;
    return await ensureReady(await ensureProcess(spec, holder), holder, wait);
  }
}
