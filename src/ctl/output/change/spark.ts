/** A row of bars, one per value: enough to see which node is slow, or loses. Pure. */

export interface SparkOptions {
  /** Most bars: more values share one, which shows the worst of them. */
  readonly width: number;
  /** The terminal can show block characters. */
  readonly unicode: boolean;
}

const bars = { blocks: "▁▂▃▄▅▆▇█", ascii: "_.-:=+*#" } as const;

/** Between 0 and the largest value; nothing but the lowest bar where all are 0. */
export function sparkline(values: readonly number[], { width, unicode }: SparkOptions): string {
  const steps = unicode ? bars.blocks : bars.ascii;
  const shared = Math.max(1, Math.ceil(values.length / Math.max(1, width)));
  const worst: number[] = [];
  for (let start = 0; start < values.length; start += shared) {
    worst.push(Math.max(...values.slice(start, start + shared)));
  }
  const most = Math.max(0, ...worst);
  return worst
    .map((value) => {
      const step = most === 0 ? 0 : Math.ceil((Math.max(0, value) / most) * (steps.length - 1));
      return steps[step];
    })
    .join("");
}
