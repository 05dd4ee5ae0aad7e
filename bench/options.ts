/** What a benchmark may be told beyond its name. Pure. */

export interface BenchOptions {
  /** Sizes of labs, in nodes. */
  readonly nodes?: readonly number[];
  readonly pairs?: boolean;
  /** Names of cases to measure; all unless told. */
  readonly only?: readonly string[];
  /** Names of those to measure; all unless told. */
  readonly subjects?: readonly string[];
  /** Names of steps to measure; all unless told. */
  readonly steps?: readonly string[];
  /** Share of the full size, above 0 up to 1. */
  readonly scale?: number;
  /** How often everything is measured. */
  readonly rounds?: number;
  /** After so many seconds a step is given up. */
  readonly patience?: number;
}

const optionNames = [
  "nodes",
  "pairs",
  "only",
  "subjects",
  "steps",
  "scale",
  "rounds",
  "patience",
] as const;

type Given = { readonly [K in keyof BenchOptions]?: K extends "pairs" ? boolean : string };

/** @throws RangeError for an option that the benchmark does not take, or one that cannot be read. */
export function readOptions(given: Given, takes: readonly (keyof BenchOptions)[]): BenchOptions {
  for (const name of optionNames) {
    if (given[name] !== undefined && !takes.includes(name)) {
      throw new RangeError(`this benchmark takes no --${name}`);
    }
  }
  const { nodes, pairs = false, only, subjects, steps, scale, rounds, patience } = given;
  return {
    pairs,
    ...(nodes !== undefined && { nodes: nodes.split(",").map(readSize) }),
    ...(only !== undefined && { only: only.split(",") }),
    ...(subjects !== undefined && { subjects: subjects.split(",") }),
    ...(steps !== undefined && { steps: steps.split(",") }),
    ...(scale !== undefined && { scale: readShare(scale) }),
    ...(rounds !== undefined && { rounds: readCount("rounds", { text: rounds, most: 99 }) }),
    ...(patience !== undefined && {
      patience: readCount("patience", { text: patience, most: 86_400 }),
    }),
  };
}

function readSize(text: string): number {
  // As many as a lab may have; one alone changes nothing that could be measured.
  if (/^[0-9]{1,2}$/.test(text) && Number(text) >= 2 && Number(text) <= 64) return Number(text);
  throw new RangeError(`--nodes ${text}: sizes from 2 to 64, as in 4,16,32`);
}

function readShare(text: string): number {
  const share = Number(text);
  if (text !== "" && share > 0 && share <= 1) return share;
  throw new RangeError(`--scale ${text}: above 0, up to 1, as in 0.1`);
}

function readCount(
  name: string,
  { text, most }: { readonly text: string; readonly most: number },
): number {
  if (/^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= most) return Number(text);
  throw new RangeError(`--${name} ${text}: a whole number from 1 to ${most}`);
}
