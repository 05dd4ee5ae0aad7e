/** One subject in one case of the BGP benchmark, step by step, and what each step took of it. */

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BgpCase, Step } from "./bgp-cases.ts";
import { BgpPlace } from "./bgp-place.ts";
import { prepareSubject, type SubjectName } from "./bgp-subjects.ts";
import type { StepResult, TrafficReport } from "./bgp-traffic.ts";
import { processUsage } from "./process-usage.ts";

/** What a step took of a subject. */
export interface Figures extends StepResult {
  readonly cpuSeconds: number;
  /** It was ready, and others had the CPU. */
  readonly waitedSeconds: number;
  /** Resident before the step, and most during it. */
  readonly beforeBytes: number;
  readonly peakBytes: number;
  /** Most in the two halves of the step, looked at ten times a second: what grows without bound grows on. */
  readonly halvesBytes: readonly [number, number];
}

export type Outcome =
  | { readonly kind: "measured"; readonly figures: Figures }
  /** It was given up. */
  | { readonly kind: "late"; readonly patienceSeconds: number }
  | { readonly kind: "failed"; readonly words: string };

export type Outcomes = ReadonlyMap<Step, Outcome>;

type Answer = TrafficReport | { readonly kind: "late" };

/** Of what precedes the first step: the peers' messages are made, and up to 502 sessions established. */
const PREPARATION_SECONDS = 300;
/** What comes after the last route (collections of garbage, timers) belongs to no step. */
const PAUSE_MS = 1000;
const SAMPLE_MS = 100;

export async function measureSubject(
  name: SubjectName,
  bgp: BgpCase,
  patienceSeconds: number,
): Promise<Outcomes> {
  const outcomes = new Map<Step, Outcome>();
  const place = new BgpPlace(bgp);
  try {
    const subject = place.start("subject", prepareSubject(name, bgp, place.directory));
    const program = join(import.meta.dirname, "bgp-traffic.ts");
    const traffic = place.start("peers", [process.execPath, program, JSON.stringify(bgp)]);
    const first = await answer({ subject, traffic, seconds: PREPARATION_SECONDS });
    let obstacle = obstacleIn(first, "its sessions");
    for (const step of bgp.steps) {
      if (obstacle !== undefined) {
        outcomes.set(step, { kind: "failed", words: obstacle });
        continue;
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      const outcome = await measureStep({ subject, traffic, step, patienceSeconds });
      outcomes.set(step, outcome);
      obstacle = obstacleIn(outcome, step);
    }
    return outcomes;
  } finally {
    await place.close();
  }
}

/** Why nothing can follow. */
function obstacleIn(what: Answer | Outcome, step: string): string | undefined {
  if (what.kind === "failed") return what.words;
  return what.kind === "late" ? `${step} came to no end` : undefined;
}

async function measureStep(options: {
  readonly subject: ChildProcess;
  readonly traffic: ChildProcess;
  readonly step: Step;
  readonly patienceSeconds: number;
}): Promise<Outcome> {
  const { subject, traffic, step, patienceSeconds } = options;
  const usage = () => processUsage(subject.pid!);
  // proc(5): the peak starts again from what is resident now.
  writeFileSync(`/proc/${subject.pid}/clear_refs`, "5");
  const before = usage();
  const samples: number[] = [];
  const sampler = setInterval(() => samples.push(usage().residentBytes), SAMPLE_MS);
  traffic.send(step);
  const report = await answer({ subject, traffic, seconds: patienceSeconds });
  clearInterval(sampler);
  const after = usage();
  if (report.kind === "late") return { kind: "late", patienceSeconds };
  if (report.kind !== "done") return { kind: "failed", words: obstacleIn(report, step) ?? "" };
  const half = Math.ceil(samples.length / 2);
  const figures: Figures = {
    ...report.result,
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    waitedSeconds: after.waitedSeconds - before.waitedSeconds,
    beforeBytes: before.residentBytes,
    peakBytes: after.peakBytes,
    halvesBytes: [
      Math.max(before.residentBytes, ...samples.slice(0, half)),
      Math.max(after.residentBytes, ...samples.slice(half)),
    ],
  };
  return { kind: "measured", figures };
}

/** The next report of the traffic; a subject that ends, or says nothing in time, is one too. */
async function answer(options: {
  readonly subject: ChildProcess;
  readonly traffic: ChildProcess;
  readonly seconds: number;
}): Promise<Answer> {
  const { subject, traffic, seconds } = options;
  const stop = new AbortController();
  const ended = async (child: ChildProcess, what: string): Promise<Answer> => {
    const [code, signal] =
      child.exitCode === null && child.signalCode === null
        ? await once(child, "exit", stop)
        : [child.exitCode, child.signalCode];
    return { kind: "failed", words: `${what} ended: ${signal ?? code}` };
  };
  const late = new Promise<Answer>((resolve) => {
    const timer = setTimeout(() => resolve({ kind: "late" }), seconds * 1000);
    stop.signal.addEventListener("abort", () => clearTimeout(timer));
  });
  const told = once(traffic, "message", stop).then(([report]) => report as TrafficReport);
  const all = [told, ended(subject, "the subject"), ended(traffic, "its peers"), late];
  for (const each of all) each.catch(() => undefined);
  try {
    return await Promise.race(all);
  } finally {
    stop.abort();
  }
}
