/** Many netlink changes in one go; each refusal is reported under the name of its object. */

import { setImmediate } from "node:timers/promises";
import type { Request, RouteSocket } from "../netlink/index.ts";
import type { Ledger } from "./ledger.ts";

/** About 10 ms of the kernel's work: a route with a next hop of its own costs it 0.1 ms. */
export const WRITES_PER_TURN = 100;

export interface Write<T> {
  /** As an operator would name it. */
  readonly object: string | (() => string);
  readonly request: Request;
  readonly item: T;
}

/** The items the kernel refused. */
export async function writeBatch<T>(
  socket: RouteSocket,
  writes: readonly Write<T>[],
  ledger: Ledger,
): Promise<readonly T[]> {
  const refused: T[] = [];
  for (let from = 0; from < writes.length; from += WRITES_PER_TURN) {
    if (from > 0) await setImmediate();
    const some = writes.slice(from, from + WRITES_PER_TURN);
    const results = await socket.execute(some.map((write) => write.request));
    for (const [index, write] of some.entries()) {
      const error = results[index];
      if (error === undefined) {
        ledger.changed();
      } else {
        const { object } = write;
        ledger.fail(typeof object === "string" ? object : object(), error.message);
        refused.push(write.item);
      }
    }
  }
  return refused;
}
