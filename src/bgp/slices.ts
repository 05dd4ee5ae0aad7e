/**
 * Long work cut into slices of a few milliseconds with the event loop let run in between, so that
 * keepalives never wait. Jobs take turns; patient ones, which do more at once the later they come, when
 * there is nothing else to do.
 */

import type { Clock, Timer } from "../lib/index.ts";

/** Does a little; false when there is nothing left to do. */
export type Job = () => boolean;

const SLICE_MS = 5;
/** However much else there is to do. */
const PATIENCE_MS = 20;

export class Slices {
  readonly #clock: Clock;
  readonly #jobs = new Set<Job>();
  #patient = new Set<Job>();
  #patientSinceMs = 0;
  #timer: Timer | undefined;
  #endMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs it soon and until it says it is done; adding a job that waits already changes nothing. */
  add(job: Job): void {
    this.#patient.delete(job);
    this.#jobs.add(job);
    this.#wake();
  }

  /** As {@link add}, for one that may wait for a turn in which there is nothing else to do. */
  addPatient(job: Job): void {
    if (this.#jobs.has(job)) return;
    if (this.#patient.size === 0) this.#patientSinceMs = this.#clock.monotonicMs();
    this.#patient.add(job);
    this.#wake();
  }

  /** The slice is over: a job whose pieces may be large looks at this in between. */
  get over(): boolean {
    return this.#clock.monotonicMs() >= this.#endMs;
  }

  remove(job: Job): void {
    this.#jobs.delete(job);
    this.#patient.delete(job);
  }

  #wake(): void {
    this.#timer ??= this.#clock.schedule(0, () => this.#run());
  }

  #run(): void {
    this.#timer = undefined;
    const startMs = this.#clock.monotonicMs();
    this.#endMs = startMs + SLICE_MS;
    const busy = this.#jobs.size > 0;
    if (!busy || startMs - this.#patientSinceMs >= PATIENCE_MS) this.#endPatience();
    for (;;) {
      for (const job of this.#jobs) {
        // Before it runs: a job may be added again while it runs.
        this.#jobs.delete(job);
        if (job()) this.#jobs.add(job);
        if (this.over) break;
      }
      if (this.#jobs.size === 0 || this.over) break;
    }
    if (this.#jobs.size > 0 || this.#patient.size > 0) this.#wake();
  }

  /** Those that come from now on wait anew. */
  #endPatience(): void {
    for (const job of this.#patient) this.#jobs.add(job);
    this.#patient.clear();
  }
}
