/**
 * Fuzzing by coverage: inputs that reach code which no input has reached are kept, and changed further. Ends
 * with the first input that the target does not stand, made as short as it can be.
 */

import { systemClock } from "../../src/lib/index.ts";
import type { Coverage } from "./coverage.ts";
import type { Input } from "./input.ts";
import { Mutator } from "./mutate.ts";

export interface Target {
  readonly name: string;
  readonly seeds: readonly Input[];
  /** Throws what should never happen. */
  run(input: Input): void | Promise<void>;
}

export interface Finding {
  readonly input: Input;
  readonly error: unknown;
}

export interface Explored {
  readonly executions: number;
  /** Inputs that were kept. */
  readonly corpus: readonly Input[];
  readonly finding?: Finding;
}

export interface ExploreOptions {
  readonly target: Target;
  readonly coverage: Pick<Coverage, "take" | "add">;
  readonly random: () => number;
  /** Asked after every batch. */
  goOn(executions: number): boolean;
  /** Told before each execution, for whoever watches that it ends. */
  onRun?(input: Input): void;
}

/** Reading the counters takes as long as some hundred small inputs. */
const BATCH = 32;
const SHORTENING_RUNS = 2000;

export async function explore(options: ExploreOptions): Promise<Explored> {
  const { target, coverage, random, goOn, onRun } = options;
  const mutator = new Mutator(random);
  const corpus: Input[] = [];
  let executions = 0;
  const run = async (input: Input): Promise<Finding | undefined> => {
    executions++;
    onRun?.(input);
    const error = await failure(target, input);
    return error && { input, error: error.error };
  };
  const found = async (finding: Finding): Promise<Explored> => {
    const input = await shortened(target, finding);
    return { executions, corpus, finding: { input, error: finding.error } };
  };
  coverage.take();
  for (const seed of target.seeds) {
    const finding = await run(seed);
    if (finding) return found(finding);
    coverage.add(coverage.take());
    corpus.push(seed);
  }
  while (goOn(executions)) {
    const batch = Array.from({ length: BATCH }, () =>
      mutator.mutate(chosen(corpus, mutator), corpus),
    );
    for (const input of batch) {
      const finding = await run(input);
      if (finding) return found(finding);
    }
    // A target on a clock of its own never leaves the microtasks, during which no WeakRef lets go.
    await new Promise<void>((resolve) => systemClock.schedule(0, resolve));
    const together = coverage.take();
    if (together.length === 0) continue;
    for (const input of batch) {
      await run(input);
      const fresh = coverage.take();
      if (fresh.length === 0) continue;
      coverage.add(fresh);
      corpus.push(input);
    }
    coverage.add(together);
  }
  return { executions, corpus };
}

/** What was found last leads on more often. */
function chosen(corpus: readonly Input[], mutator: Mutator): Input {
  const recent = Math.max(1, Math.floor(corpus.length / 8));
  return mutator.below(2) === 0
    ? mutator.pick(corpus)
    : corpus[corpus.length - 1 - mutator.below(recent)]!;
}

async function failure(target: Target, input: Input): Promise<{ error: unknown } | undefined> {
  try {
    await target.run(input);
    return undefined;
  } catch (error) {
    return { error };
  }
}

/** Without chunks, and without parts of chunks, that it does not take to fail alike. */
async function shortened(target: Target, { input, error }: Finding): Promise<Input> {
  const wanted = kindOf(error);
  let best = input;
  let left = SHORTENING_RUNS;
  for (let progress = true; progress && left > 0; ) {
    progress = false;
    for (const candidate of shorter(best)) {
      if (left-- <= 0) break;
      const again = await failure(target, candidate);
      if (again === undefined || kindOf(again.error) !== wanted) continue;
      best = candidate;
      progress = true;
      break;
    }
  }
  return best;
}

function* shorter(input: Input): Generator<Input> {
  for (let at = 0; input.length > 1 && at < input.length; at++) {
    yield [...input.slice(0, at), ...input.slice(at + 1)];
  }
  for (const [index, chunk] of input.entries()) {
    for (let cut = chunk.bytes.length >> 1; cut > 0; cut >>= 1) {
      for (let at = 0; at + cut <= chunk.bytes.length; at += cut) {
        const bytes = Buffer.concat([chunk.bytes.subarray(0, at), chunk.bytes.subarray(at + cut)]);
        yield input.map((each, i) => (i === index ? { ...chunk, bytes } : each));
      }
    }
  }
}

/** The same mistake with other numbers is the same mistake. */
function kindOf(error: unknown): string {
  const { name, message, stack = "" } = error as Error;
  const place = /at .*\((.*):\d+\)/.exec(stack)?.[1] ?? "";
  return `${name} ${String(message).replace(/\d+/g, "#").slice(0, 60)} ${place}`;
}
