/**
 * One command at a time changes a lab. The lock is a socket in the abstract namespace: the kernel lets
 * one process listen on it and frees it when that process ends, however it ends. No file, nothing stale.
 * Abstract sockets are per network namespace, so whoever takes the lock must be outside the lab's own
 * (exclusive.ts sees to that).
 */

import { connect, createServer, type Server } from "node:net";
import { type Clock, SwitchyardError, sleep } from "../lib/index.ts";

export interface LockOptions {
  /** Directory of the lab. */
  readonly directory: string;
  /** Who holds it, for those who wait: `lab up (pid 17)`. */
  readonly holder: string;
  readonly clock: Clock;
  /** How long to wait for another holder; 120,000 unless told. */
  readonly timeoutMs?: number;
}

const retryMs = 50;

/** Runs `body` while holding the lock. @throws LAB_FAILED when another holds it too long. */
export async function withLock<T>(options: LockOptions, body: () => Promise<T>): Promise<T> {
  const { clock, timeoutMs = 120_000 } = options;
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  for (;;) {
    const held = await tryListen(options);
    if (held !== undefined) {
      try {
        return await body();
      } finally {
        await new Promise((resolve) => held.close(resolve));
      }
    }
    if (clock.monotonicMs() >= deadlineMs) {
      const holder = await askHolder(options.directory);
      throw new SwitchyardError("LAB_FAILED", `the lab is busy: ${holder} has not finished`);
    }
    await sleep(clock, retryMs);
  }
}

function tryListen(options: LockOptions): Promise<Server | undefined> {
  const server = createServer((connection) => {
    connection.on("error", () => {});
    connection.end(options.holder);
  });
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.once("listening", () => resolve(server));
    server.listen({ path: lockAddress(options.directory) });
  });
}

/** What the holder says about itself. */
function askHolder(directory: string): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const connection = connect({ path: lockAddress(directory) });
    connection.on("data", (chunk) => {
      text += chunk;
    });
    connection.on("error", () => {});
    connection.on("close", () => resolve(text === "" ? "another command" : text));
  });
}

function lockAddress(directory: string): string {
  return `\0switchyard${directory}`;
}
