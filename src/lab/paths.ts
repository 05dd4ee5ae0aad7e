/**
 * Where a lab keeps its things. Several labs may live on one machine, each under its own name: its
 * namespaces begin with `NAME-`, its files are in a directory of its own. The usual one is `sy`.
 */

import { SwitchyardError } from "../lib/index.ts";

export const defaultLabName = "sy";

const runDirectory = "/run/switchyard";

export interface LabPaths {
  readonly name: string;
  readonly directory: string;
  /** What the lab consists of: written whole, see state-file.ts. */
  readonly stateFile: string;
  readonly apiSocket: string;
  readonly database: string;
  readonly routerSocket: string;
  readonly routerConfig: string;
  readonly logDirectory: string;
  /** Prefix of this lab's network namespaces. */
  readonly namespacePrefix: string;
}

/** @throws INVALID_ARGUMENT for a name that cannot be part of a file's and a namespace's name. */
export function labPaths(name: string = defaultLabName): LabPaths {
  if (!/^[a-z][a-z0-9]{0,15}$/.test(name)) {
    throw new SwitchyardError(
      "INVALID_ARGUMENT",
      `${JSON.stringify(name)} cannot name a lab: up to 16 lower-case letters and digits, a letter first`,
    );
  }
  const directory = name === defaultLabName ? `${runDirectory}/lab` : `${runDirectory}/lab-${name}`;
  return {
    name,
    directory,
    stateFile: `${directory}/lab.json`,
    apiSocket: `${directory}/api.sock`,
    database: `${directory}/data.db`,
    routerSocket: `${directory}/router.sock`,
    routerConfig: `${directory}/router.json`,
    logDirectory: `${directory}/logs`,
    namespacePrefix: `${name}-`,
  };
}

/** The file name of a member's namespace in /run/netns: `sy-node1`, `sy-pod1a`, `sy-router`. */
export function namespaceName(paths: LabPaths, member: string): string {
  return `${paths.namespacePrefix}${member}`;
}

export function nodeDirectory(paths: LabPaths, node: string): string {
  return `${paths.directory}/nodes/${node}`;
}

export function logFile(paths: LabPaths, process: string): string {
  return `${paths.logDirectory}/${process}.log`;
}
