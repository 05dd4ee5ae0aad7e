/** One subject in one case: two network namespaces, the subject in one, all its peers in the other. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type BgpCase,
  feederAddress,
  QUIET,
  RECEIVER,
  type Step,
  SUBJECT_ADDRESS,
} from "./bgp-cases.ts";
import { prepareSubject, type SubjectName } from "./bgp-subjects.ts";
import type { StepResult, TrafficReport } from "./bgp-traffic.ts";
import { processUsage } from "./process-usage.ts";

/** What a step took of a subject. */
export interface Figures extends StepResult {
  readonly cpuSeconds: number;
  /** It was ready, and others had the CPU. */
  readonly waitedSeconds: number;
  readonly peakBytes: number;
}

const PATIENCE_MS = 600_000;
/** What comes after the last route (collections of garbage, timers) belongs to no step. */
const PAUSE_MS = 1000;

export async function measureSubject(
  name: SubjectName,
  bgp: BgpCase,
): Promise<ReadonlyMap<Step, Figures>> {
  const tag = `bb${process.pid % 100_000}`;
  const namespaces = [`${tag}s`, `${tag}p`] as const;
  const directory = mkdtempSync(join(tmpdir(), "bench-bgp-"));
  const children: ChildProcess[] = [];
  try {
    makeNamespaces(namespaces, bgp, directory);
    const subject = start(namespaces[0], prepareSubject(name, bgp, directory), "ignore");
    children.push(subject);
    const program = join(import.meta.dirname, "bgp-traffic.ts");
    const command = [process.execPath, program, JSON.stringify(bgp)];
    const traffic = start(namespaces[1], command, "ipc");
    children.push(traffic);
    await answer(subject, traffic);
    const figures = new Map<Step, Figures>();
    for (const step of bgp.steps) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      // proc(5): the peak starts again from what is resident now.
      writeFileSync(`/proc/${subject.pid}/clear_refs`, "5");
      const before = processUsage(subject.pid!);
      traffic.send(step);
      const result = (await answer(subject, traffic)) as StepResult;
      const after = processUsage(subject.pid!);
      figures.set(step, {
        ...result,
        cpuSeconds: after.cpuSeconds - before.cpuSeconds,
        waitedSeconds: after.waitedSeconds - before.waitedSeconds,
        peakBytes: after.peakBytes,
      });
    }
    return figures;
  } finally {
    for (const child of children.reverse()) await end(child);
    for (const namespace of namespaces) tryRun("ip", "netns", "delete", namespace);
    rmSync(directory, { recursive: true });
  }
}

function makeNamespaces(
  [subject, peers]: readonly [string, string],
  bgp: BgpCase,
  directory: string,
): void {
  const run = (...args: string[]) => execFileSync("ip", args, { encoding: "utf8" });
  for (const name of [subject, peers]) {
    run("netns", "add", name);
    run("-n", name, "link", "set", "lo", "up");
  }
  const veth = ["link", "add", "eth0", "netns", subject, "type", "veth"];
  run(...veth, "peer", "name", "eth0", "netns", peers);
  const addresses = Array.from({ length: bgp.feeders }, (_, i) => feederAddress(i));
  const batch = join(directory, "addresses");
  const lines = [RECEIVER.address, QUIET.address, ...addresses].map(
    (address) => `address add ${address}/16 dev eth0\n`,
  );
  writeFileSync(batch, lines.join(""));
  run("-n", subject, "address", "add", `${SUBJECT_ADDRESS}/16`, "dev", "eth0");
  run("-n", peers, "-batch", batch);
  for (const name of [subject, peers]) run("-n", name, "link", "set", "eth0", "up");
}

/** What it prints is of use when it ends too early. */
function start(
  namespace: string,
  command: readonly string[],
  channel: "ipc" | "ignore",
): ChildProcess {
  const [first, ...rest] = command;
  return spawn("nsenter", [`--net=/run/netns/${namespace}`, first!, ...rest], {
    stdio: ["ignore", "ignore", "inherit", channel],
  });
}

/** The next report of the traffic. @throws when either process ends, after ten minutes, or when told to stop */
async function answer(subject: ChildProcess, traffic: ChildProcess): Promise<TrafficReport> {
  const stop = new AbortController();
  const ended = async (child: ChildProcess, what: string): Promise<never> => {
    const [code, signal] = await once(child, "exit", stop);
    throw new Error(`${what} ended: ${signal ?? code}`);
  };
  const tooLate = async (): Promise<never> => {
    await new Promise((_, reject) => {
      const timer = setTimeout(() => reject(new Error("not done in ten minutes")), PATIENCE_MS);
      stop.signal.addEventListener("abort", () => clearTimeout(timer));
    });
    throw new Error("unreachable");
  };
  // So that nothing is left behind.
  const interrupted = async (signal: NodeJS.Signals): Promise<never> => {
    await once(process, signal, stop);
    throw new Error(`stopped by ${signal}`);
  };
  try {
    const told = once(traffic, "message", stop).then(([report]) => report as TrafficReport);
    const others = [
      ...[ended(subject, "the subject"), ended(traffic, "the traffic"), tooLate()],
      ...[interrupted("SIGINT"), interrupted("SIGTERM")],
    ];
    for (const each of others) each.catch(() => undefined);
    return await Promise.race([told, ...others]);
  } finally {
    stop.abort();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

function tryRun(program: string, ...args: string[]): void {
  try {
    execFileSync(program, args, { stdio: "ignore" });
  } catch {
    // It was never made.
  }
}
