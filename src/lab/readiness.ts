/** Waits for what the lab's processes say about themselves, and says which log to read when they do not. */

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { z } from "zod";
import { type Clock, errorText, SwitchyardError, sleep } from "../lib/index.ts";
import { isAlive, type ProcessIdentity } from "./process-identity.ts";
import { ask } from "./unix-http.ts";

/** What the lab reads of `GET /status` on an agent's socket. */
const agentStatusSchema = z.looseObject({
  node: z.string(),
  ready: z.boolean(),
  notReady: z.string(),
  ipipBackend: z.string(),
  pools: z.record(
    z.string(),
    z.looseObject({ mode: z.string(), realised: z.boolean(), waiting: z.array(z.string()) }),
  ),
  peers: z.array(
    z.looseObject({ address: z.string(), type: z.string(), up: z.boolean(), info: z.string() }),
  ),
  failures: z.array(z.string()),
});

export type AgentAnswer = z.infer<typeof agentStatusSchema>;

const routerStatusSchema = z.strictObject({
  sessions: z.array(
    z.strictObject({
      peer: z.string(),
      address: z.string(),
      state: z.string(),
      routes: z.int(),
      lastError: z.string(),
    }),
  ),
  /** Prefix to next hop, as programmed. */
  routes: z.record(z.string(), z.string()),
  failures: z.array(z.string()),
});

export type RouterAnswer = z.infer<typeof routerStatusSchema>;

/** @throws LAB_FAILED when it does not answer. */
export async function askAgent(socketPath: string): Promise<AgentAnswer> {
  return agentStatusSchema.parse(JSON.parse(await ask({ socketPath, path: "/status" })));
}

/** @throws LAB_FAILED when it does not answer. */
export async function askRouter(socketPath: string): Promise<RouterAnswer> {
  return routerStatusSchema.parse(JSON.parse(await ask({ socketPath, path: "/status" })));
}

/** Why an agent is not done yet; empty when it is. */
export function agentProblems(status: AgentAnswer): string[] {
  const problems: string[] = [];
  if (!status.ready) problems.push(`${status.node}: not ready: ${status.notReady}`);
  for (const peer of status.peers) {
    // A pod may speak or not.
    if (peer.up || peer.type === "local workload") continue;
    problems.push(`${status.node}: session with ${peer.address}: ${peer.info}`);
  }
  for (const [name, pool] of Object.entries(status.pools)) {
    if (pool.realised) continue;
    const why = pool.waiting.length === 0 ? "no reason given" : pool.waiting.join("; ");
    problems.push(`${status.node}: pool ${name} has not reached ${pool.mode}: ${why}`);
  }
  for (const failure of status.failures) problems.push(`${status.node}: ${failure}`);
  return problems;
}

export function routerProblems(status: RouterAnswer): string[] {
  const down = status.sessions.filter(({ state }) => state !== "Established");
  return [
    ...down.map(({ peer, state, lastError }) =>
      `router: session with ${peer}: ${state} ${lastError}`.trimEnd(),
    ),
    ...status.failures.map((failure) => `router: ${failure}`),
  ];
}

export interface WaitOptions {
  /** What is waited for: `agent of node1`. */
  readonly what: string;
  readonly process: ProcessIdentity;
  readonly logFile: string;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** What still keeps it from being ready; empty when it is. May throw: then that is the reason. */
  readonly problems: () => Promise<readonly string[]>;
}

const pollMs = 25;

/** @throws LAB_FAILED with the reason and the log's name, at once when the process has ended. */
export async function waitUntilReady(options: WaitOptions): Promise<void> {
  const { clock, signal } = options;
  const deadlineMs = clock.monotonicMs() + options.timeoutMs;
  for (;;) {
    const problems = await options.problems().catch((error: unknown) => [errorText(error)]);
    if (problems.length === 0) return;
    if (!isAlive(options.process)) throw failure(options, "it ended");
    if (clock.monotonicMs() >= deadlineMs) throw failure(options, problems.join("\n  "));
    await sleep(clock, pollMs, signal);
  }
}

function failure(options: WaitOptions, reason: string): SwitchyardError {
  const tail = lastLines(options.logFile, 5).map((line) => `\n  | ${line}`);
  return new SwitchyardError(
    "LAB_FAILED",
    `${options.what} is not ready: ${reason}\n  its log is ${options.logFile}${tail.join("")}`,
  );
}

const tailBytes = 8_192;

/** The last lines of a log, or none if it cannot be read. */
export function lastLines(file: string, count: number): string[] {
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch {
    return [];
  }
  try {
    const { size } = fstatSync(descriptor);
    const buffer = Buffer.alloc(Math.min(size, tailBytes));
    const read = readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
    const lines = buffer.toString("utf8", 0, read).split("\n");
    // Frames of a stack say nothing to who reads this; the log has them.
    return lines.filter((line) => line !== "" && !/^\s+at /.test(line)).slice(-count);
  } finally {
    closeSync(descriptor);
  }
}
