/**
 * Long work cut into slices of a few milliseconds with the event loop let run in between, so that
 * keepalives never wait. Jobs take turns.
 */

import type { Clock, Timer } from "../lib/index.ts";

/** Does a little; false when there is nothing left to do. */
export type Job = () => boolean;

const SLICE_MS = 5;

export class Slices {
  readonly #clock: Clock;
  readonly #jobs = new Set<Job>();
  #timer: Timer | undefined;
  #endMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs it soon and until it says it is done; adding a job that waits already changes nothing. */
  add(job: Job): void {
    this.#jobs.add(job);
    this.#timer ??= this.#clock.schedule(0, () => this.#run());
  }

  /** The slice is over: a job whose pieces may be large looks at this in between. */
  get over(): boolean {
    return this.#clock.monotonicMs() >= this.#endMs;
  }

  remove(job: Job): void {
    this.#jobs.delete(job);
  }

  #run(): void {
    this.#timer = undefined;
    this.#endMs = this.#clock.monotonicMs() + SLICE_MS;
    for (;;) {
      for (const job of this.#jobs) {
        // Before it runs: a job may be added again while it runs.
        this.#jobs.delete(job);
        if (job()) this.#jobs.add(job);
        if (this.over) break;
      }
      if (this.#jobs.size === 0) return;
      if (this.over) break;
    }
    this.#timer ??= this.#clock.schedule(0, () => this.#run());
  }
}
