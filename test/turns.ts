/**
 * Loaded before each test file of `npm test`, which runs two at once: a file in a folder named `alone`
 * measures time to the millisecond and waits until it has the machine to itself. A file that is run by
 * hand waits for nobody.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";

const file = process.argv[1] ?? "";
const { NODE_TEST_CONTEXT: context, SWITCHYARD_TEST_TURN: turn } = process.env;
// The runner itself loads this too, and so may what a test file starts, which has its turn already.
if (context !== undefined && turn === undefined) {
  process.env.SWITCHYARD_TEST_TURN = "taken";
  await takeTurn(file.split(sep).includes("alone"));
}

/** Until this process ends: with it the pipe is closed, `cat` ends, and the kernel takes the lock back. */
async function takeTurn(alone: boolean): Promise<void> {
  const lock = join(tmpdir(), "switchyard-test-turns");
  const mode = alone ? "--exclusive" : "--shared";
  const holder = spawn("flock", [mode, lock, "sh", "-c", "echo held; exec cat"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const failed = once(holder, "exit").then(([code]) => {
    throw new Error(`flock ${mode} ${lock} ended with exit code ${code}`);
  });
  await Promise.race([once(holder.stdout, "data"), failed]);
  failed.catch(() => {});
  holder.unref();
  (holder.stdin as unknown as { unref(): void }).unref();
  (holder.stdout as unknown as { unref(): void }).unref();
}
