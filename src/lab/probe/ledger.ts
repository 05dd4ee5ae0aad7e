/**
 * The books of numbered probes: what was sent, what came, in which window. Pure; O(1) per probe.
 *
 * A window is a span of time that the caller names, such as one mode change. A probe belongs to the
 * window it was sent in, wherever it arrives, so that a late one is not a lost one.
 */

/** Sums over all pairs, or one pair's own. */
export interface WindowCounts {
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly reordered: number;
  readonly duplicated: number;
  /** Longest time between two arrivals of one pair that ended, or was still going on, in the window. */
  readonly maxGapMs: number;
}

/** Arrivals remembered per pair to tell a duplicate; more than are ever on their way. */
const MEMORY = 4096;

interface Window {
  sent: number;
  received: number;
  reordered: number;
  duplicated: number;
  maxGapMs: number;
}

class Pair {
  nextSequence = 1;
  highest = 0;
  lastArrivalMs: number | undefined;
  readonly windows = new Map<number, Window>();
  readonly seen = new Uint32Array(MEMORY);

  window(id: number): Window {
    let window = this.windows.get(id);
    if (!window) {
      window = { sent: 0, received: 0, reordered: 0, duplicated: 0, maxGapMs: 0 };
      this.windows.set(id, window);
    }
    return window;
  }
}

export class ProbeLedger {
  readonly #pairs: Pair[];
  #window = 0;

  constructor(pairs: number) {
    this.#pairs = Array.from({ length: pairs }, () => new Pair());
  }

  /** The window that probes sent from now on belong to. */
  get window(): number {
    return this.#window;
  }

  /** Ends the current window and begins the next; returns the id of the next. */
  advance(nowMs: number): number {
    for (const pair of this.#pairs) this.#noteGap(pair, nowMs);
    return ++this.#window;
  }

  /** A gap is measured only from the next arrival on. */
  forgetArrivals(): void {
    for (const pair of this.#pairs) pair.lastArrivalMs = undefined;
  }

  /** Books a probe as sent; returns its sequence number within the pair. */
  send(pair: number): number {
    const entry = this.#pairs[pair]!;
    entry.window(this.#window).sent++;
    return entry.nextSequence++;
  }

  /** Books an arrival. `window` and `sequence` are what the probe carries. */
  receive(
    pair: number,
    probe: { readonly window: number; readonly sequence: number; readonly nowMs: number },
  ): void {
    const entry = this.#pairs[pair];
    // A stray datagram on the port is not one of ours.
    if (!entry || probe.sequence >= entry.nextSequence || !entry.windows.has(probe.window)) return;
    const counts = entry.window(probe.window);
    if (entry.seen[probe.sequence % MEMORY] === probe.sequence) {
      counts.duplicated++;
      return;
    }
    entry.seen[probe.sequence % MEMORY] = probe.sequence;
    counts.received++;
    if (probe.sequence < entry.highest) counts.reordered++;
    else entry.highest = probe.sequence;
    this.#noteGap(entry, probe.nowMs);
    entry.lastArrivalMs = probe.nowMs;
  }

  /** Per pair, in the order of the pairs. */
  counts(window: number): WindowCounts[] {
    return this.#pairs.map((pair) => {
      const counts = pair.window(window);
      return { ...counts, lost: counts.sent - counts.received };
    });
  }

  #noteGap(pair: Pair, nowMs: number): void {
    if (pair.lastArrivalMs === undefined) return;
    const window = pair.window(this.#window);
    window.maxGapMs = Math.max(window.maxGapMs, nowMs - pair.lastArrivalMs);
  }
}

export function totalCounts(counts: readonly WindowCounts[]): WindowCounts {
  const sum = (field: keyof WindowCounts) => counts.reduce((total, item) => total + item[field], 0);
  return {
    sent: sum("sent"),
    received: sum("received"),
    lost: sum("lost"),
    reordered: sum("reordered"),
    duplicated: sum("duplicated"),
    maxGapMs: counts.reduce((longest, item) => Math.max(longest, item.maxGapMs), 0),
  };
}
