/** Starts the lab's long-lived processes, detached and logging to files, and ends them. */

import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { type Clock, SwitchyardError, sleep } from "../lib/index.ts";
import {
  identifyProcess,
  isAlive,
  type ProcessIdentity,
  processMark,
  signalProcess,
} from "./process-identity.ts";

export interface ProcessSpec {
  /** Unique within the lab: `server`, `router`, `agent-node1`. */
  readonly name: string;
  /** Directory of the lab; part of the mark. */
  readonly labDirectory: string;
  readonly command: readonly string[];
  /** Path of a network namespace; the caller's own unless told. */
  readonly namespace?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly logFile: string;
}

/**
 * Starts it in a session of its own, so that the terminal's signals do not reach it. The pid stays the
 * same through nsenter and the launcher: both end in exec. @throws LAB_FAILED.
 */
export async function startProcess(spec: ProcessSpec): Promise<ProcessIdentity> {
  const { namespace } = spec;
  // nsenter --net leaves /sys and the mounts alone, unlike `ip netns exec`.
  const enter = namespace === undefined ? [] : ["nsenter", `--net=${namespace}`, "--"];
  const [file, ...rest] = [...enter, ...spec.command];
  mkdirSync(dirname(spec.logFile), { recursive: true });
  const log = openSync(spec.logFile, "a", 0o640);
  try {
    const child = spawn(file!, rest, {
      cwd: "/",
      detached: true,
      stdio: ["ignore", log, log],
      env: {
        ...process.env,
        PATH: systemPath(),
        ...spec.environment,
        [processMark]: `${spec.labDirectory} ${spec.name}`,
      },
    });
    await new Promise((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    child.unref();
    const identity = identifyProcess(child.pid!);
    if (identity !== undefined) return identity;
  } catch (error) {
    throw new SwitchyardError("LAB_FAILED", `start of ${spec.name} (${file}): ${String(error)}`, {
      cause: error,
    });
  } finally {
    closeSync(log);
  }
  throw new SwitchyardError("LAB_FAILED", `${spec.name} ended at once; see ${spec.logFile}`);
}

/** Root's PATH may lack sbin, where `nft` is. */
export function systemPath(): string {
  const parts = (process.env.PATH ?? "").split(":").filter((part) => part !== "");
  for (const part of ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"]) {
    if (!parts.includes(part)) parts.push(part);
  }
  return parts.join(":");
}

/** How long a process may take to end after SIGTERM before it is killed. */
const graceMs = 2_000;
const pollMs = 10;

/** SIGTERM to all, SIGKILL to what is left after two seconds; returns when all are gone. */
export async function stopProcesses(
  processes: readonly ProcessIdentity[],
  clock: Clock,
): Promise<void> {
  let left = processes.filter((process) => signalProcess(process, "SIGTERM"));
  left = await waitForEnd({ processes: left, clock, timeoutMs: graceMs });
  for (const process of left) signalProcess(process, "SIGKILL");
  left = await waitForEnd({ processes: left, clock, timeoutMs: graceMs });
  if (left.length === 0) return;
  const pids = left.map((process) => process.pid).join(", ");
  throw new SwitchyardError("LAB_FAILED", `processes do not end although killed: pid ${pids}`);
}

/** Those still alive when the time is over. */
export async function waitForEnd(options: {
  readonly processes: readonly ProcessIdentity[];
  readonly clock: Clock;
  readonly timeoutMs: number;
}): Promise<ProcessIdentity[]> {
  const { clock } = options;
  const deadlineMs = clock.monotonicMs() + options.timeoutMs;
  let left = options.processes.filter(isAlive);
  while (left.length > 0 && clock.monotonicMs() < deadlineMs) {
    await sleep(clock, pollMs);
    left = left.filter(isAlive);
  }
  return left;
}
