/** What a benchmark may be told beyond its name. Pure. */

export interface BenchOptions {
  /** Sizes of labs, in nodes. */
  readonly nodes?: readonly number[];
  readonly pairs?: boolean;
}

/** @throws RangeError for an option that the benchmark does not take, or one that cannot be read. */
export function readOptions(
  given: { readonly nodes?: string; readonly pairs?: boolean },
  takes: readonly (keyof BenchOptions)[],
): BenchOptions {
  for (const name of ["nodes", "pairs"] as const) {
    if (given[name] !== undefined && !takes.includes(name)) {
      throw new RangeError(`this benchmark takes no --${name}`);
    }
  }
  const { nodes, pairs = false } = given;
  return { pairs, ...(nodes !== undefined && { nodes: nodes.split(",").map(readSize) }) };
}

function readSize(text: string): number {
  // As many as a lab may have; one alone changes nothing that could be measured.
  if (/^[0-9]{1,2}$/.test(text) && Number(text) >= 2 && Number(text) <= 64) return Number(text);
  throw new RangeError(`--nodes ${text}: sizes from 2 to 64, as in 4,16,32`);
}
