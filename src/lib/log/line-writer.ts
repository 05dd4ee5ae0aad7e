/**
 * Writes log lines to a descriptor. A full disk, a reader that is gone or has stopped to read costs lines, which
 * are counted and told of later: never the process that logs, and never its time.
 */

import { constants, fstatSync, openSync, writeSync } from "node:fs";
import { systemClock } from "../index.ts";

const NOTHING = new Uint8Array();

export class LineWriter {
  readonly #fd: number;
  /** Of a line that was taken in part. */
  #rest: Uint8Array = NOTHING;
  #lost = 0;

  constructor(fd: number) {
    this.#fd = withoutWaiting(fd);
  }

  /** As pino calls it: with a whole line. */
  write(line: string): void {
    this.#drain();
    if (this.#rest.length > 0) {
      this.#lost++;
      return;
    }
    const bytes = Buffer.from(this.#lost > 0 ? `${lostLine(this.#lost)}${line}` : line);
    this.#rest = bytes;
    this.#drain();
    if (this.#rest.length < bytes.length) this.#lost = 0;
    else {
      this.#rest = NOTHING;
      this.#lost++;
    }
  }

  #drain(): void {
    try {
      while (this.#rest.length > 0) {
        this.#rest = this.#rest.subarray(writeSync(this.#fd, this.#rest));
      }
    } catch {
      // ENOSPC, EPIPE, EAGAIN: there is nowhere to tell of it.
    }
  }
}

/**
 * O_NONBLOCK belongs to what is open, which a shell and other processes share: so a pipe or a terminal is opened
 * once more. A socket cannot be opened so; a file does not make anybody wait.
 */
function withoutWaiting(fd: number): number {
  try {
    const stat = fstatSync(fd);
    if (!stat.isFIFO() && !stat.isCharacterDevice()) return fd;
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    return fd;
  }
}

function lostLine(lost: number): string {
  const time = new Date(systemClock.now()).toISOString();
  return `${JSON.stringify({ level: 40, time, lost, msg: "log lines were lost: nobody took them" })}\n`;
}
