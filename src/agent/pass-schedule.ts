/**
 * When the agent works: one thing at a time, changes that come together handled together. Where nothing but routes
 * of a few prefixes has changed, these go first, and whoever else wants to know of them can wait a little.
 */

import { type Clock, formatPrefix, type Prefix, type Timer } from "../lib/index.ts";

export interface PassScheduleOptions {
  readonly clock: Clock;
  /** A whole pass. Gives when the next is due, in milliseconds, if nothing happens; undefined: something will. */
  readonly pass: () => Promise<number | undefined>;
  /** Handles these prefixes; false: a whole pass has to. */
  readonly passOver: (prefixes: readonly Prefix[]) => Promise<boolean>;
}

/** Changes that come together are handled together. */
export const DEBOUNCE_MS = 10;
/** Changed prefixes up to which they are handled by themselves; planning them keeps the loop some 10 ms. */
const MOST_CHANGED = 500;
/** After changes of prefixes alone, a whole pass tells of them and looks at everything. */
const TELL_CHANGES_MS = 1_000;
/** Such passes take one part in so many of the time, however long each takes. */
const PASS_SHARE = 10;

export class PassSchedule {
  readonly #options: PassScheduleOptions;
  #timer: Timer | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;
  #passQueued = false;
  /** How long the last whole pass took. */
  #tookMs = 0;
  /** Prefixes of which alone something has changed since the last pass of any kind. */
  readonly #changed = new Map<string, Prefix>();
  #changedTimer: Timer | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(options: PassScheduleOptions) {
    this.#options = options;
  }

  /** Something changed: these prefixes, or anything. */
  note(prefixes?: readonly Prefix[]): void {
    if (prefixes === undefined || this.#changed.size + prefixes.length > MOST_CHANGED) {
      this.wake(DEBOUNCE_MS);
      return;
    }
    for (const prefix of prefixes) this.#changed.set(formatPrefix(prefix), prefix);
    if (this.#changedTimer !== undefined || this.#stopped) return;
    this.#changedTimer = this.#options.clock.schedule(DEBOUNCE_MS, () => {
      this.#changedTimer = undefined;
      this.next(() => this.#passOver());
    });
  }

  /** Runs a pass in `delayMs`, or earlier if one is due earlier. */
  wake(delayMs: number): void {
    if (this.#stopped) return;
    const { clock } = this.#options;
    const dueMs = clock.monotonicMs() + delayMs;
    if (dueMs >= this.#timerDueMs) return;
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = clock.schedule(delayMs, () => {
      this.#timerDueMs = Number.POSITIVE_INFINITY;
      this.#timer = undefined;
      // One pass behind the one that runs sees everything that has come meanwhile.
      if (this.#passQueued) return;
      this.#passQueued = true;
      this.next(() => this.#pass());
    });
  }

  /** In the order in which they were asked for; nothing begins after {@link stop}. */
  next(work: () => Promise<void>): void {
    this.#running = (this.#running ?? Promise.resolve()).then(() =>
      this.#stopped ? undefined : work(),
    );
  }

  /** Returns when nothing runs any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#changedTimer?.cancel();
    await this.#running;
  }

  async #pass(): Promise<void> {
    const { clock, pass } = this.#options;
    this.#passQueued = false;
    this.#changed.clear();
    const startedMs = clock.monotonicMs();
    const nextMs = await pass();
    this.#tookMs = clock.monotonicMs() - startedMs;
    if (nextMs !== undefined) this.wake(nextMs);
  }

  async #passOver(): Promise<void> {
    if (this.#changed.size === 0) return;
    const prefixes = [...this.#changed.values()];
    this.#changed.clear();
    // Whatever goes wrong here, the whole pass meets it as well, and tells of it.
    const done = await this.#options.passOver(prefixes).catch(() => false);
    this.wake(done ? Math.max(TELL_CHANGES_MS, this.#tookMs * PASS_SHARE) : 0);
  }
}
