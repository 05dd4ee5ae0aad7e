/**
 * An input that never ends cannot be stopped from its own thread: another one watches, and tells which it was
 * before it ends the process.
 */

import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { formatInput, type Input } from "./input.ts";

const LONGEST_INPUT_CHARACTERS = 2 << 20;
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 1000;

interface Shared {
  /** How many inputs have begun, and how long the text of the present one is. */
  readonly numbers: SharedArrayBuffer;
  readonly text: SharedArrayBuffer;
}

export class Watchdog {
  readonly #shared: Shared = {
    numbers: new SharedArrayBuffer(8),
    text: new SharedArrayBuffer(LONGEST_INPUT_CHARACTERS),
  };
  readonly #worker = new Worker(import.meta.filename, { workerData: this.#shared });

  constructor() {
    this.#worker.unref();
  }

  /** The target, and what it is given now. */
  begin(target: string, input: Input): void {
    const numbers = new Int32Array(this.#shared.numbers);
    const text = `${target} ${formatInput(input)}`.slice(0, LONGEST_INPUT_CHARACTERS);
    numbers[1] = Buffer.from(this.#shared.text).write(text, "latin1");
    Atomics.add(numbers, 0, 1);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

function watch({ numbers, text }: Shared): void {
  const [begun, length] = [0, 1] as const;
  const counters = new Int32Array(numbers);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  let seen = -1;
  let sinceMs = performance.now();
  for (;;) {
    Atomics.wait(pause, 0, 0, LOOK_EVERY_MS);
    const now = Atomics.load(counters, begun);
    if (now !== seen || now === 0) {
      seen = now;
      sinceMs = performance.now();
    } else if (performance.now() - sinceMs > PATIENCE_MS) {
      const words = Buffer.from(text).toString("latin1", 0, counters[length]);
      process.stderr.write(`no end after ${PATIENCE_MS / 1000} s: ${words}\n`);
      process.kill(process.pid, "SIGKILL");
    }
  }
}

if (!isMainThread && parentPort !== null) watch(workerData as Shared);
