/**
 * A timer that may be put off a million times a second: moving its deadline later touches no system
 * timer; one that fires early just sleeps again.
 */

import type { Clock, Timer } from "../../lib/index.ts";

/** Node.js fires a timer of more at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class Deadline {
  readonly #clock: Clock;
  readonly #callback: () => void;
  #timer: Timer | undefined;
  #timerAtMs = 0;
  #deadlineMs: number | undefined;

  constructor(clock: Clock, callback: () => void) {
    this.#clock = clock;
    this.#callback = callback;
  }

  get running(): boolean {
    return this.#deadlineMs !== undefined;
  }

  start(delayMs: number): void {
    this.#deadlineMs = this.#clock.monotonicMs() + delayMs;
    if (this.#timer !== undefined && this.#timerAtMs <= this.#deadlineMs) return;
    this.#timer?.cancel();
    this.#arm(delayMs);
  }

  stop(): void {
    this.#deadlineMs = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(delayMs: number): void {
    const nextMs = Math.min(delayMs, LONGEST_TIMER_MS);
    this.#timerAtMs = this.#clock.monotonicMs() + nextMs;
    this.#timer = this.#clock.schedule(nextMs, () => this.#fire());
  }

  #fire(): void {
    this.#timer = undefined;
    if (this.#deadlineMs === undefined) return;
    const leftMs = this.#deadlineMs - this.#clock.monotonicMs();
    // System timers may fire a fraction of a millisecond early.
    if (leftMs > 1) {
      this.#arm(leftMs);
      return;
    }
    this.#deadlineMs = undefined;
    this.#callback();
  }
}
