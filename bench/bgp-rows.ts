/** Figures of the BGP benchmark as rows: ours beside each of the others, with what must hold. Pure. */

import type { BgpCase, Step } from "./bgp-cases.ts";
import type { Figures, Outcome, Outcomes } from "./bgp-run.ts";
import type { SubjectName } from "./bgp-subjects.ts";
import { type BenchRow, type Budget, benchRow } from "./row.ts";

const MOST_KEEPALIVE_DELAY_MS = 1000;
const KEEPALIVE_MS = 1000;

interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly digits: number;
  /** `undefined`: nothing to tell in this step. */
  readonly of: (figures: Figures, step: Step) => number | undefined;
  /** Of several rounds the worst; the median unless told. */
  readonly worst?: true;
  readonly budget?: (peer: SubjectName) => Budget;
}

const mebibytes = (bytes: number) => bytes / 2 ** 20;

const time: Metric = {
  ...{ name: "until the last route", unit: "s", digits: 3 },
  of: ({ seconds }) => seconds,
  budget: (peer) => ({ mostRatio: peer === "bird" ? 1.5 : 0.999 }),
};

const metrics: readonly Metric[] = [
  time,
  {
    ...{ name: "until it is let in again", unit: "s", digits: 3 },
    of: ({ returnSeconds }) => returnSeconds,
  },
  {
    ...{ name: "memory before", unit: "MiB", digits: 1 },
    of: ({ beforeBytes }) => mebibytes(beforeBytes),
  },
  {
    ...{ name: "peak memory", unit: "MiB", digits: 1 },
    of: ({ peakBytes }) => mebibytes(peakBytes),
    budget: (peer) => (peer === "bird" ? { mostRatio: 3 } : {}),
  },
  {
    ...{ name: "peak of the second half over the first", unit: "", digits: 2 },
    of: ({ halvesBytes: [first, second] }, step) =>
      step === "churn" && first > 0 ? second / first : undefined,
  },
  {
    ...{ name: "keepalive delay", unit: "ms", digits: 0, worst: true },
    of: ({ silenceMs }) => Math.max(0, silenceMs - KEEPALIVE_MS),
    budget: () => ({ mostValue: MOST_KEEPALIVE_DELAY_MS }),
  },
  { name: "CPU", unit: "s", digits: 2, of: ({ cpuSeconds }) => cpuSeconds },
  {
    ...{ name: "waited for a CPU", unit: "s", digits: 2 },
    of: ({ waitedSeconds }) => waitedSeconds,
  },
  {
    ...{ name: "CPU of all peers", unit: "s", digits: 2 },
    of: ({ trafficCpuSeconds }) => trafficCpuSeconds,
  },
];

/** By subject, an entry for each round. */
export type Measured = ReadonlyMap<SubjectName, readonly Outcomes[]>;

interface Summary {
  readonly value: number;
  readonly range: readonly [number, number];
}

/** A subject without ours beside it is only told. */
export function caseRows(bgp: BgpCase, measured: Measured): BenchRow[] {
  return bgp.steps.flatMap((step) => stepRows(bgp, step, measured));
}

function stepRows(bgp: BgpCase, step: Step, measured: Measured): BenchRow[] {
  const base = { bench: "bgp", case: `${bgp.name} ${bgp.feeders} x ${bgp.prefixes}: ${step}` };
  const figures = new Map<SubjectName, readonly Figures[]>();
  const rows: BenchRow[] = [];
  for (const [subject, rounds] of measured) {
    const outcomes = rounds.map((round) => round.get(step)!);
    const bad = outcomes.find(({ kind }) => kind !== "measured");
    if (bad === undefined) figures.set(subject, outcomes.flatMap(figuresOf));
    else if (subject === "switchyard") rows.push(ownFailure(base, bad));
  }
  const ours = figures.get("switchyard");
  const beside = [...figures.keys()].filter((name) => name !== "switchyard");
  const absent = [...measured.keys()].filter((name) => name !== "switchyard" && !figures.has(name));
  for (const metric of metrics) {
    const summary = (subject: SubjectName) => summarise(metric, step, figures.get(subject)!);
    const row = { ...base, metric: metric.name, unit: metric.unit };
    if (ours === undefined || beside.length === 0) {
      for (const subject of figures.keys()) {
        const found = summary(subject);
        if (found) rows.push(aloneRow(row, found, { subject, metric }));
      }
    } else {
      const own = summary("switchyard");
      for (const peer of beside) {
        const theirs = summary(peer);
        if (own && theirs) rows.push(besideRow(row, [own, theirs], { peer, metric }));
      }
    }
    if (metric !== time) continue;
    for (const peer of absent) {
      const bad = measured.get(peer)!.map((round) => round.get(step)!);
      rows.push(absentRow(row, { peer, outcomes: bad, own: ours && summary("switchyard") }));
    }
  }
  return rows;
}

type RowHead = Pick<BenchRow, "bench" | "case" | "metric" | "unit">;

function besideRow(
  head: RowHead,
  [own, theirs]: readonly [Summary, Summary],
  { peer, metric }: { readonly peer: SubjectName; readonly metric: Metric },
): BenchRow {
  const figure = { ...head, value: own.value, peer, peerValue: theirs.value };
  return withRanges(benchRow(figure, metric.budget?.(peer)), own, theirs);
}

/** Alone there is no ratio to be held to. */
function aloneRow(
  head: RowHead,
  found: Summary,
  { subject, metric }: { readonly subject: SubjectName; readonly metric: Metric },
): BenchRow {
  const ours = subject === "switchyard";
  const { mostValue } = (ours && metric.budget?.(subject)) || {};
  const named = { ...head, metric: ours ? head.metric : `${head.metric} of ${subject}` };
  const figure = { ...named, value: found.value, peer: "", peerValue: 0 };
  return withRanges(benchRow(figure, mostValue === undefined ? {} : { mostValue }), found);
}

/** Of one who was given up the time is longer than our patience, so that a smaller ratio of ours holds. */
function absentRow(
  head: RowHead,
  options: {
    readonly peer: SubjectName;
    readonly outcomes: readonly Outcome[];
    readonly own: Summary | undefined;
  },
): BenchRow {
  const { peer, outcomes, own } = options;
  const bad = outcomes.find(({ kind }) => kind !== "measured")!;
  const named = { ...head, peer: `${peer}: ${words(bad)}`, value: own?.value ?? 0 };
  const peerValue = bad.kind === "late" ? bad.patienceSeconds : 0;
  const held = own !== undefined && bad.kind === "late";
  const row = benchRow({ ...named, peerValue }, held ? time.budget?.(peer) : {});
  return own ? withRanges(row, own) : row;
}

function ownFailure(base: Pick<BenchRow, "bench" | "case">, bad: Outcome): BenchRow {
  const value = bad.kind === "late" ? bad.patienceSeconds : 0;
  const figure = { ...base, metric: `${time.name}: ${words(bad)}`, unit: time.unit };
  const row = benchRow({ ...figure, value, peer: "", peerValue: 0 });
  return { ...row, budget: "to come to an end", pass: false };
}

function withRanges(row: BenchRow, own: Summary, theirs?: Summary): BenchRow {
  const spread = ({ range: [least, most] }: Summary) => least !== most;
  return {
    ...row,
    ...(spread(own) && { range: own.range }),
    ...(theirs && spread(theirs) && { peerRange: theirs.range }),
  };
}

function figuresOf(outcome: Outcome): Figures[] {
  return outcome.kind === "measured" ? [outcome.figures] : [];
}

function summarise(metric: Metric, step: Step, rounds: readonly Figures[]): Summary | undefined {
  const found = rounds.map((each) => metric.of(each, step)).filter((each) => each !== undefined);
  if (found.length === 0) return undefined;
  const rounded = (value: number) => Math.round(value * 10 ** metric.digits) / 10 ** metric.digits;
  const sorted = found.toSorted((a, b) => a - b);
  const [least, most] = [sorted[0]!, sorted.at(-1)!];
  const middle = (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
  return { value: rounded(metric.worst ? most : middle), range: [rounded(least), rounded(most)] };
}

/** For who watches. */
export function outcomeWords(step: Step, outcome: Outcome): string {
  if (outcome.kind !== "measured") return words(outcome);
  const all = metrics.flatMap((metric) => {
    const found = summarise(metric, step, [outcome.figures]);
    return found ? [`${metric.name} ${found.value} ${metric.unit}`.trim()] : [];
  });
  return all.join(", ");
}

function words(outcome: Outcome): string {
  if (outcome.kind === "late") return `not within ${outcome.patienceSeconds} s`;
  return outcome.kind === "failed" ? outcome.words : "";
}
