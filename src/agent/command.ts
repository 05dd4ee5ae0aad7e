/** `switchyard agent`: the agent as a process, until a signal ends it. */

import { openApiClient } from "../datastore/index.ts";
import { systemClock } from "../lib/index.ts";
import { createLog } from "../lib/log/index.ts";
import { Agent } from "./agent.ts";

export interface AgentCommandOptions {
  readonly node: string;
  /** The API server's unix socket. */
  readonly socketPath: string;
  readonly stateDirectory: string;
  readonly secretsDirectory: string;
  readonly mtuFile: string;
  readonly podMtu: "live" | "fixed";
  readonly logLevel: string;
  readonly version: string;
  readonly drainMs: number;
}

export async function runAgent(options: AgentCommandOptions): Promise<void> {
  const log = createLog({ level: options.logLevel, fields: { node: options.node } });
  const agent = new Agent({
    node: options.node,
    store: openApiClient({ socketPath: options.socketPath }),
    stateDirectory: options.stateDirectory,
    secretsDirectory: options.secretsDirectory,
    mtuFile: options.mtuFile,
    podMtu: options.podMtu,
    clock: systemClock,
    log,
    version: options.version,
    drainMs: options.drainMs,
  });
  await agent.start();
  log.info({ pid: process.pid, version: options.version }, "agent started");
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve(name));
  });
  log.info({ signal }, "agent stops; the kernel keeps forwarding");
  await agent.stop();
}
