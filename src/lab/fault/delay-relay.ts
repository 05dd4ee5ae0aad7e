/**
 * Delays frames where the kernel has no netem: `node delay-relay.ts DELAY_MS TAP...` in the router's namespace.
 * What a tap device is given to send comes back from it later, in the same order. On SIGTERM it takes
 * nothing more, gives back what it holds, and ends.
 */

import { readSync, writeSync } from "node:fs";
import { type Clock, errorText, systemClock } from "../../lib/index.ts";
import { openTun, waitForFds, waitReadableSync } from "../../lib/sys/index.ts";

interface Late {
  readonly dueMs: number;
  readonly tap: number;
  readonly frame: Uint8Array;
}

const sliceMs = 50;
const largestFrameBytes = 65_550;

async function run(delayMs: number, names: readonly string[], clock: Clock): Promise<void> {
  const taps = names.map((name) => openTun({ name, mode: "tap" }));
  const queue: Late[] = [];
  const buffer = new Uint8Array(largestFrameBytes);
  let ending = false;
  process.once("SIGTERM", () => {
    ending = true;
  });
  let timer: { cancel(): void } | undefined;
  const giveBack = () => {
    timer = undefined;
    while (queue.length > 0 && queue[0]!.dueMs <= clock.monotonicMs()) {
      const { tap, frame } = queue.shift()!;
      writeSync(tap, frame);
    }
    arm();
  };
  const arm = () => {
    if (timer !== undefined || queue.length === 0) return;
    timer = clock.schedule(Math.max(0, queue[0]!.dueMs - clock.monotonicMs()), giveBack);
  };
  while (!ending) {
    if (!(await waitForFds({ readable: taps, timeoutMs: sliceMs }))) continue;
    const dueMs = clock.monotonicMs() + delayMs;
    for (const tap of taps) {
      while (waitReadableSync(tap, 0)) {
        const bytes = readSync(tap, buffer);
        queue.push({ dueMs, tap, frame: buffer.slice(0, bytes) });
      }
    }
    arm();
  }
  // The process ends by itself when the last frame is back.
}

const [delay, ...names] = process.argv.slice(2);
run(Number(delay), names, systemClock).catch((error: unknown) => {
  process.stderr.write(`${errorText(error)}\n`);
  process.exitCode = 1;
});
