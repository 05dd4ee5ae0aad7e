/**
 * Network namespaces and temporary directories that bear the name of the process that makes them: a run that
 * is killed cannot take them down, so the next one does, with whatever still runs inside.
 */

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const NAMESPACES = "/run/netns";

/** How names of this process begin: `PREFIX`, its pid and start time, since pids are given again. */
export function nameOfRun(prefix: string): string {
  return `${prefix}${process.pid}t${startTime(process.pid)}-`;
}

/** Takes away what processes that have ended left under names that begin with the prefix. */
export function sweepLeftovers(prefix: string): void {
  for (const name of leftIn(NAMESPACES, prefix)) {
    for (const pid of pidsIn(name)) kill(pid);
    removeNamespace(name);
  }
  for (const name of leftIn(tmpdir(), prefix)) {
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

/** Without a word when there is none: another run may sweep at the same time. */
export function removeNamespace(name: string): void {
  try {
    execFileSync("ip", ["netns", "delete", name], { stdio: "ignore" });
  } catch {
    // It is gone, or was never made.
  }
}

function leftIn(directory: string, prefix: string): string[] {
  return namesIn(directory).filter((name) => {
    const owner = name.startsWith(prefix) && /^([0-9]+)t([0-9]+)-/.exec(name.slice(prefix.length));
    return owner && startTime(Number(owner[1])) !== owner[2];
  });
}

/** There is no such directory before the first namespace. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Field 22 of proc_pid_stat(5), in ticks since boot; `undefined` when there is no such process. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The second field is a name in parentheses that may hold spaces; the third follows it.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

/** None in one that was never finished. */
function pidsIn(namespace: string): number[] {
  try {
    const pids = execFileSync("ip", ["netns", "pids", namespace], { encoding: "utf8" });
    return pids.split("\n").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}
