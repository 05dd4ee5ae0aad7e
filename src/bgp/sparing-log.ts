/**
 * Lines that a peer causes, by its sessions and what it sends: it decides how often, and is not to fill the
 * disk. What is left out is counted in the next line that is not.
 */

import type { Clock } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";

const LINES = 30;
const WINDOW_MS = 60_000;

export class SparingLog {
  readonly #clock: Clock;
  #windowBeganMs = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #leftOut = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  info(log: Log, fields: object, words: string): void {
    if (this.#mayWrite()) log.info(this.#counted(fields), words);
  }

  warn(log: Log, fields: object, words: string): void {
    if (this.#mayWrite()) log.warn(this.#counted(fields), words);
  }

  #mayWrite(): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#windowBeganMs >= WINDOW_MS) {
      this.#windowBeganMs = nowMs;
      this.#lines = 0;
    }
    if (this.#lines++ < LINES) return true;
    this.#leftOut++;
    return false;
  }

  #counted(fields: object): object {
    const linesLeftOut = this.#leftOut;
    this.#leftOut = 0;
    return linesLeftOut === 0 ? fields : { ...fields, linesLeftOut };
  }
}
