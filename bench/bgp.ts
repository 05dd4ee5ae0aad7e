/** Routes in and out of our speaker, beside BIRD 2, FRR and GoBGP in the same role with the same peers. */

import { loadavg } from "node:os";
import { type BgpCase, bgpCases, type Step } from "./bgp-cases.ts";
import { type Figures, measureSubject } from "./bgp-run.ts";
import { type SubjectName, subjectNames } from "./bgp-subjects.ts";
import type { BenchOptions } from "./options.ts";
import { type BenchRow, type Budget, benchRow } from "./row.ts";

const MOST_KEEPALIVE_DELAY_MS = 1000;
const KEEPALIVE_MS = 1000;

interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly of: (figures: Figures) => number;
  readonly budget?: (peer: SubjectName) => Budget;
}

const metrics: readonly Metric[] = [
  {
    name: "until the last route",
    unit: "s",
    of: ({ seconds }) => rounded(seconds, 3),
    budget: (peer) => ({ mostRatio: peer === "bird" ? 1.5 : 0.999 }),
  },
  {
    name: "peak memory",
    unit: "MiB",
    of: ({ peakBytes }) => rounded(peakBytes / 2 ** 20, 1),
    budget: (peer) => (peer === "bird" ? { mostRatio: 3 } : {}),
  },
  {
    name: "keepalive delay",
    unit: "ms",
    of: ({ silenceMs }) => rounded(Math.max(0, silenceMs - KEEPALIVE_MS), 0),
    budget: () => ({ mostValue: MOST_KEEPALIVE_DELAY_MS }),
  },
  { name: "CPU", unit: "s", of: ({ cpuSeconds }) => rounded(cpuSeconds, 2) },
  { name: "waited for a CPU", unit: "s", of: ({ waitedSeconds }) => rounded(waitedSeconds, 2) },
  {
    name: "CPU of all peers",
    unit: "s",
    of: ({ trafficCpuSeconds }) => rounded(trafficCpuSeconds, 2),
  },
];

/** By subject, then by step. */
type Measured = ReadonlyMap<SubjectName, ReadonlyMap<Step, Figures>>;

export async function run(
  progress: (line: string) => void,
  { only, subjects: names, scale = 1 }: BenchOptions,
): Promise<BenchRow[]> {
  const cases = bgpCases(scale);
  const subjects = chosen("subject", subjectNames, names);
  const wanted = chosen(
    "case",
    cases.map(({ name }) => name),
    only,
  );
  const rows: BenchRow[] = [];
  for (const bgp of cases) {
    if (!wanted.includes(bgp.name)) continue;
    const measured = new Map<SubjectName, ReadonlyMap<Step, Figures>>();
    for (const subject of subjects) {
      progress(`${bgp.name}: ${subject}; load ${loadavg()[0]!.toFixed(1)}`);
      const figures = await measureSubject(subject, bgp);
      measured.set(subject, figures);
      for (const [step, each] of figures) progress(`  ${step}: ${words(each)}`);
    }
    rows.push(...caseRows(bgp, measured));
  }
  return rows;
}

/** @throws RangeError for a name there is not */
function chosen<T extends string>(
  what: string,
  all: readonly T[],
  names: readonly string[] = all,
): readonly T[] {
  for (const name of names) {
    if (!all.some((each) => each === name)) {
      throw new RangeError(`there is no ${what} ${name}, only ${all.join(", ")}`);
    }
  }
  return all.filter((each) => names.includes(each));
}

/** Ours beside each of the others; a subject without ours beside it is only told. */
export function caseRows(bgp: BgpCase, measured: Measured): BenchRow[] {
  const ours = measured.get("switchyard");
  const others = [...measured.keys()].filter((name) => name !== "switchyard");
  const size = `${bgp.feeders} x ${bgp.prefixes}`;
  return bgp.steps.flatMap((step) =>
    metrics.flatMap(({ name, unit, of, budget }) => {
      const figure = { bench: "bgp", case: `${bgp.name} ${size}: ${step}`, metric: name, unit };
      const alone = (subject: SubjectName): BenchRow => {
        const whose = subject === "switchyard" ? "" : ` of ${subject}`;
        const value = of(measured.get(subject)!.get(step)!);
        const named = { ...figure, metric: `${name}${whose}`, value, peer: "", peerValue: 0 };
        return benchRow(named, subject === "switchyard" ? onlyValue(budget?.(subject)) : {});
      };
      if (ours === undefined || others.length === 0) return [...measured.keys()].map(alone);
      return others.map((peer) => {
        const value = of(ours.get(step)!);
        const peerValue = of(measured.get(peer)!.get(step)!);
        return benchRow({ ...figure, value, peer, peerValue }, budget?.(peer));
      });
    }),
  );
}

/** Alone there is no ratio to be held to. */
function onlyValue({ mostValue }: Budget = {}): Budget {
  return mostValue === undefined ? {} : { mostValue };
}

function words(figures: Figures): string {
  return metrics.map(({ name, unit, of }) => `${name} ${of(figures)} ${unit}`).join(", ");
}

function rounded(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
