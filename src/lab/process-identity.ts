/**
 * Processes by pid and start time: a pid alone may by now belong to a stranger. Also finds the lab's
 * processes without any record, by a mark in their environment or by the namespace they are in.
 */

import { readdirSync, readFileSync, statSync } from "node:fs";

export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks since boot. */
  readonly startTime: number;
}

/** Environment variable that every process of a lab carries: `DIRECTORY NAME`. */
export const processMark = "SWITCHYARD_LAB_PROCESS";

/** undefined when there is no such process, or it is a zombie. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // proc(5): the second field is the name in parentheses, which may itself hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  return { pid, startTime: Number(fields[19]) };
}

export function isAlive(process: ProcessIdentity): boolean {
  return identifyProcess(process.pid)?.startTime === process.startTime;
}

/** Sends a signal unless the process is gone; false if it was. */
export function signalProcess(target: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(target)) return false;
  try {
    process.kill(target.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** Processes that carry the mark of this lab directory, by the name in the mark. */
export function markedProcesses(directory: string): Map<string, ProcessIdentity[]> {
  const found = new Map<string, ProcessIdentity[]>();
  const wanted = `${processMark}=${directory} `;
  for (const pid of processIds()) {
    const entry = readProc(`/proc/${pid}/environ`)
      ?.split("\0")
      .find((variable) => variable.startsWith(wanted));
    const identity = entry === undefined ? undefined : identifyProcess(pid);
    if (entry === undefined || identity === undefined) continue;
    const name = entry.slice(wanted.length);
    found.set(name, [...(found.get(name) ?? []), identity]);
  }
  return found;
}

/** Processes inside one of these network namespaces (paths), this one and its ancestors left out. */
export function processesInside(namespaces: readonly string[]): ProcessIdentity[] {
  const wanted = new Set(namespaces.map(namespaceKey).filter((key) => key !== undefined));
  const excluded = ownLine();
  const found: ProcessIdentity[] = [];
  for (const pid of processIds()) {
    const key = namespaceKey(`/proc/${pid}/ns/net`);
    if (key === undefined || !wanted.has(key) || excluded.has(pid)) continue;
    const identity = identifyProcess(pid);
    if (identity !== undefined) found.push(identity);
  }
  return found;
}

/** The one of these network namespaces (paths) that this process is in. */
export function ownNamespaceAmong(namespaces: readonly string[]): string | undefined {
  const own = namespaceKey("/proc/self/ns/net");
  return namespaces.find((path) => namespaceKey(path) === own);
}

/** This process, its parent, and so on up to init. */
function ownLine(): Set<number> {
  const line = new Set<number>();
  let pid = process.pid;
  while (pid > 0 && !line.has(pid)) {
    line.add(pid);
    const stat = readProc(`/proc/${pid}/stat`);
    pid = Number(stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
  }
  return line;
}

/** Two paths with the same key are one namespace; undefined when it is gone. */
function namespaceKey(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

function processIds(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number);
}

/** A process may end at any time, so every failure means: not there. */
function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}
