/**
 * Takes a lab away, whatever state it is in: by its record, and beyond the record by what carries its
 * mark (processes), runs inside it (any process) or bears its prefix (namespaces).
 */

import { rmdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { hasCode, systemClock } from "../lib/index.ts";
import { deleteNamespace, namespacePath } from "../lib/sys/index.ts";
import { exclusively } from "./exclusive.ts";
import { labNamespaces } from "./network.ts";
import { type LabPaths, labPaths } from "./paths.ts";
import { checkPrerequisites } from "./prerequisites.ts";
import { markedProcesses, type ProcessIdentity, processesInside } from "./process-identity.ts";
import { stopProcesses } from "./processes.ts";
import { readRecord } from "./state-file.ts";

export interface LabDownReport {
  /** Processes that were ended. */
  readonly processes: number;
  /** Names of the namespaces that were deleted. */
  readonly namespaces: readonly string[];
}

/** Leaves nothing: no process, namespace (and with it no device, route, nft table), file or socket. */
export async function labDown(options: { readonly name?: string } = {}): Promise<LabDownReport> {
  checkPrerequisites();
  const paths = labPaths(options.name);
  return await exclusively(paths, "lab down", () => down(paths));
}

async function down(paths: LabPaths): Promise<LabDownReport> {
  const namespaces = labNamespaces(paths);
  const processes = labProcesses(paths, namespaces);
  await stopProcesses(processes, systemClock);
  for (const name of namespaces) {
    try {
      deleteNamespace(name);
    } catch (error) {
      if (!hasCode(error, "RESOURCE_NOT_FOUND")) throw error;
    }
  }
  rmSync(paths.directory, { recursive: true, force: true });
  removeIfEmpty(dirname(paths.directory));
  return { processes: processes.length, namespaces };
}

function labProcesses(paths: LabPaths, namespaces: readonly string[]): ProcessIdentity[] {
  const found = [
    ...Object.values(recorded(paths)),
    ...[...markedProcesses(paths.directory).values()].flat(),
    ...processesInside(namespaces.map(namespacePath)),
  ];
  return [...new Map(found.map((process) => [process.pid, process])).values()];
}

/** A record that cannot be read must not keep the rest from being taken away. */
function recorded(paths: LabPaths): Readonly<Record<string, ProcessIdentity>> {
  try {
    return readRecord(paths.stateFile)?.processes ?? {};
  } catch (error) {
    if (hasCode(error, "LAB_FAILED")) return {};
    throw error;
  }
}

/** Others may keep things in /run/switchyard. */
function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "ENOENT" && code !== "EEXIST") throw error;
  }
}
