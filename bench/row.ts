/** One figure of a benchmark, beside a named peer measured in the same run. */

export interface BenchRow {
  readonly bench: string;
  readonly case: string;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  /** What it is held against, measured in the same run. */
  readonly peer: string;
  readonly peerValue: number;
  /** value / peerValue, rounded to thousandths; 0 when the peer's is 0. */
  readonly ratio: number;
  /** What must hold, as text: `= 0`, `ratio <= 1.5`; empty for a figure that is only told. */
  readonly budget: string;
  readonly pass: boolean;
  /** Least and most of several rounds, of which the figures are the median, or the worst. */
  readonly range?: readonly [number, number];
  readonly peerRange?: readonly [number, number];
}

export interface Budget {
  /** The value itself must not exceed this. */
  readonly mostValue?: number;
  /** The ratio to the peer must not exceed this. */
  readonly mostRatio?: number;
}

export function benchRow(
  figure: Pick<BenchRow, "bench" | "case" | "metric" | "value" | "unit" | "peer" | "peerValue">,
  { mostValue, mostRatio }: Budget = {},
): BenchRow {
  const ratio =
    figure.peerValue === 0 ? 0 : Math.round((figure.value / figure.peerValue) * 1000) / 1000;
  const texts: string[] = [];
  if (mostValue !== undefined) texts.push(mostValue === 0 ? "= 0" : `<= ${mostValue}`);
  if (mostRatio !== undefined) texts.push(`ratio <= ${mostRatio}`);
  const pass =
    (mostValue === undefined || figure.value <= mostValue) &&
    (mostRatio === undefined || ratio <= mostRatio);
  return { ...figure, ratio, budget: texts.join(", "), pass };
}
