/** Starts a process of the lab unless it runs, and writes down which one it is. */

import { isAlive, markedProcesses, type ProcessIdentity } from "./process-identity.ts";
import { type ProcessSpec, startProcess } from "./processes.ts";
import type { RecordHolder } from "./record-holder.ts";

export async function ensureProcess(
  spec: ProcessSpec,
  holder: RecordHolder,
): Promise<ProcessIdentity> {
  const known = holder.record.processes[spec.name];
  if (known !== undefined && isAlive(known)) return known;
  // One that was started by an `up` which was killed before it could write that down.
  const orphan = markedProcesses(spec.labDirectory).get(spec.name)?.[0];
  const identity = orphan ?? (await startProcess(spec));
  holder.setProcess(spec.name, identity);
  return identity;
}
