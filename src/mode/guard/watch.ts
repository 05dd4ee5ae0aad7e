/**
 * The course of a node's guard over one change, from what is seen to what is said: how things are before anything
 * moves, then each step from its orders until it is quiet. Pure; whoever owns it looks about once a second, and at
 * once when a probe is lost.
 */

import type { Breach, ModeEvidenceStatus } from "../../model/index.ts";
import { type Counters, risen } from "./counters.ts";
import { blindPaths, judgeWindow, type PathReport, pathKey, type SessionReport } from "./judge.ts";
import { BASELINE_MS, RATE_WINDOW_MS, SETTLE_MS } from "./thresholds.ts";

export type GuardEvidence = NonNullable<ModeEvidenceStatus["guard"]>;

/** What is seen at a moment. */
export interface GuardSight {
  /** Monotonic. */
  readonly nowMs: number;
  /** Of the orders. */
  readonly step: number;
  /** Some node has been told to move. */
  readonly moving: boolean;
  /** This node and its partners, those that are to move and have not said that they have. */
  readonly unmoved: readonly string[];
  readonly paths: readonly PathReport[];
  /** Since the host was started; undefined: they were not read this time. */
  readonly counters?: Counters | undefined;
  readonly sessions: readonly SessionReport[];
  readonly probes: GuardEvidence["probes"];
  /** Partners that have no probe address. */
  readonly unprobed: readonly string[];
  /** Why nothing can be watched at all, in words. */
  readonly impossible?: string | undefined;
}

export interface GuardWord {
  readonly guard: GuardEvidence;
  /** It is to be written: something is wrong, or a step is over. */
  readonly tell: boolean;
  /** The baseline has ended with this look: what is counted from now on is judged. */
  readonly baselineEnded: boolean;
}

/** So many breaches tell enough. */
const MOST_BREACHES = 20;

interface Sample {
  readonly atMs: number;
  readonly counters: Counters;
}

export class GuardWatch {
  readonly #startedMs: number;
  /** Said already, by this agent or the one before it. */
  readonly #breaches: Breach[];
  readonly #known = new Set<string>();
  readonly #late: string | undefined;
  /** Nodes had been told to move before this guard began. */
  #amid: boolean | undefined;
  #samples: Sample[] = [];
  #first: Sample | undefined;
  /** Undefined while the baseline is taken. */
  #baseline: { readonly counters: Counters; readonly ms: number } | undefined;
  /** By path, while nobody had been told to move. */
  #lostStill = new Map<string, number>();
  #step: number | undefined;
  #settledSinceMs: number | undefined;
  #toldQuiet: number | undefined;
  #stuckSinceMs: number | undefined;
  #toldStuck: string | undefined;

  /** `before`: what an agent before this one has written of this change. */
  constructor(options: { readonly nowMs: number; readonly before?: GuardEvidence | undefined }) {
    this.#startedMs = options.nowMs;
    this.#breaches = [...(options.before?.breaches ?? [])];
    const step = options.before?.step;
    this.#late =
      step === undefined
        ? undefined
        : `the agent started again after step ${step}: it takes what it found then for what is usual`;
  }

  look(sight: GuardSight): GuardWord {
    const { nowMs, step } = sight;
    if (sight.counters) this.#sample({ atMs: nowMs, counters: sight.counters });
    if (step !== this.#step) {
      this.#step = step;
      this.#settledSinceMs = undefined;
    }
    const over = nowMs - this.#startedMs >= BASELINE_MS;
    // What the move does must not be taken for usual, unless there is nothing else to look at.
    this.#amid ??= sight.moving;
    const moves = sight.moving && !this.#amid;
    const baselineEnded = this.#baseline === undefined && (over || moves);
    if (baselineEnded) this.#endBaseline();
    const fresh = baselineEnded ? false : this.#judge(sight);
    if (sight.unmoved.length > 0 || sight.impossible !== undefined)
      this.#settledSinceMs = undefined;
    else this.#settledSinceMs ??= nowMs;
    // What the baseline was is seen at the next look.
    const quiet = !baselineEnded && this.#isQuiet(nowMs);
    const tell = fresh || (quiet && this.#toldQuiet !== step) || this.#stuck(sight);
    if (quiet) this.#toldQuiet = step;
    return { guard: this.#evidence(sight, quiet), tell, baselineEnded };
  }

  #isQuiet(nowMs: number): boolean {
    if (this.#baseline === undefined || this.#breaches.length > 0) return false;
    // From the end of the baseline at the earliest: only then does anything count.
    return nowMs - (this.#settledSinceMs ?? nowMs) >= SETTLE_MS;
  }

  /** Nothing can be watched for as long as watching would have taken: whoever waits is to know why, once. */
  #stuck({ nowMs, impossible }: GuardSight): boolean {
    if (impossible === undefined) {
      this.#stuckSinceMs = undefined;
      return false;
    }
    this.#stuckSinceMs ??= nowMs;
    if (impossible === this.#toldStuck || nowMs - this.#stuckSinceMs < SETTLE_MS) return false;
    this.#toldStuck = impossible;
    return true;
  }

  #sample(sample: Sample): void {
    this.#first ??= sample;
    this.#samples.push(sample);
    // One older than the window stays, so that the window is whole.
    while ((this.#samples[1]?.atMs ?? sample.atMs) <= sample.atMs - RATE_WINDOW_MS) {
      this.#samples.shift();
    }
  }

  /** Counts of the baseline are not judged afterwards. */
  #endBaseline(): void {
    this.#baseline = this.#rise();
    this.#samples = this.#samples.slice(-1);
  }

  #rise(): { counters: Counters; ms: number } {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last) return { counters: {}, ms: 0 };
    return { counters: risen(first.counters, last.counters), ms: last.atMs - first.atMs };
  }

  /** True if something new is wrong. */
  #judge({ paths, sessions, moving }: GuardSight): boolean {
    if (this.#baseline === undefined) return false;
    if (!moving) {
      this.#lostStill = new Map(paths.map((path) => [pathKey(path), path.since.lost]));
    }
    const window = {
      ...{ paths, sessions, before: this.#baseline, now: this.#rise() },
      ...{ still: !moving, lostStill: this.#lostStill },
    };
    let fresh = false;
    for (const { key, breach } of judgeWindow(window)) {
      if (this.#known.has(key) || this.#breaches.length >= MOST_BREACHES) continue;
      this.#known.add(key);
      this.#breaches.push(breach);
      fresh = true;
    }
    return fresh;
  }

  #evidence(sight: GuardSight, quiet: boolean): GuardEvidence {
    const last = this.#samples.at(-1);
    const rose = this.#first && last ? risen(this.#first.counters, last.counters) : {};
    const blind = [
      ...(this.#late === undefined ? [] : [this.#late]),
      ...(sight.impossible === undefined ? [] : [sight.impossible]),
      ...sight.unprobed.map((node) => `${node} has no probe address: not watched`),
      ...(quiet || this.#breaches.length > 0 ? blindPaths(sight.paths) : []),
    ];
    return {
      step: sight.step,
      quiet,
      breaches: [...this.#breaches],
      probes: sight.probes,
      counters: Object.fromEntries(Object.entries(rose).filter(([, value]) => value > 0)),
      ...(blind.length > 0 && { blind }),
    };
  }
}
