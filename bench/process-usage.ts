/** What a process took of the machine so far, from /proc. */

import { readFileSync } from "node:fs";

export interface ProcessUsage {
  /** Of all its threads. */
  readonly cpuSeconds: number;
  /** Its main thread was ready to run, and another process had the CPU: tells how busy the machine was. */
  readonly waitedSeconds: number;
  /** Memory that is resident now, and most that was at once since it began. */
  readonly residentBytes: number;
  readonly peakBytes: number;
}

/** USER_HZ, the same on every architecture that we run on (proc_pid_stat(5)). */
const TICKS_PER_SECOND = 100;

/** A process that has ended took nothing. */
export function processUsage(pid: number): ProcessUsage {
  try {
    const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, "utf8");
    // The name, second of the fields, may hold spaces; the first after it is the third.
    const stat = read("stat");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [, waitedNs = 0] = read("schedstat").split(" ").map(Number);
    const status = read("status");
    const bytes = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? 0) * 1024;
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      waitedSeconds: waitedNs / 1e9,
      residentBytes: bytes("VmRSS"),
      peakBytes: bytes("VmHWM"),
    };
  } catch {
    return { cpuSeconds: 0, waitedSeconds: 0, residentBytes: 0, peakBytes: 0 };
  }
}
