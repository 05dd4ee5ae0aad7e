/** The programs of this checkout that a lab runs. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { namespacePath } from "../lib/sys/index.ts";
import { processNames } from "./lab-state.ts";
import { launcher } from "./launcher.ts";
import { type LabPaths, logFile, namespaceName, nodeDirectory } from "./paths.ts";
import { mtuFile } from "./pod-mtu.ts";
import type { ProcessSpec } from "./processes.ts";
import type { LabRecord } from "./state-file.ts";

export function serverProcess(paths: LabPaths): ProcessSpec {
  return {
    name: processNames.server,
    labDirectory: paths.directory,
    command: [launcher, "server", "--socket", paths.apiSocket, "--database", paths.database],
    logFile: logFile(paths, processNames.server),
  };
}

export function routerProcess(paths: LabPaths): ProcessSpec {
  return {
    name: processNames.router,
    labDirectory: paths.directory,
    command: [
      process.execPath,
      "--disable-warning=ExperimentalWarning",
      fileURLToPath(new URL("./router/main.ts", import.meta.url)),
      paths.routerConfig,
    ],
    namespace: namespacePath(namespaceName(paths, "router")),
    logFile: logFile(paths, processNames.router),
  };
}

export interface AgentProcessOptions {
  readonly paths: LabPaths;
  readonly node: string;
  /** What was asked for when the lab was made. */
  readonly record: Pick<LabRecord, "podMtu" | "drain">;
}

export function agentProcess({ paths, node, record }: AgentProcessOptions): ProcessSpec {
  const { podMtu = "fixed", drain } = record;
  const directory = nodeDirectory(paths, node);
  return {
    name: processNames.agent(node),
    labDirectory: paths.directory,
    command: [
      launcher,
      "agent",
      "--node",
      node,
      "--socket",
      paths.apiSocket,
      "--state-dir",
      directory,
      "--secrets-dir",
      join(paths.directory, "secrets"),
      "--mtu-file",
      mtuFile(directory),
      "--pod-mtu",
      podMtu,
      ...(drain === undefined ? [] : ["--drain", drain]),
    ],
    namespace: namespacePath(namespaceName(paths, node)),
    environment: { SWITCHYARD_NODE: node, SWITCHYARD_SOCKET: paths.apiSocket },
    logFile: logFile(paths, processNames.agent(node)),
  };
}
