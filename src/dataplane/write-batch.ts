/** Many netlink changes in one go; each refusal is reported under the name of its object. */

import type { Request, RouteSocket } from "../netlink/index.ts";
import type { Ledger } from "./ledger.ts";

export interface Write<T> {
  /** As an operator would name it. */
  readonly object: string;
  readonly request: Request;
  readonly item: T;
}

/** The items the kernel refused. */
export async function writeBatch<T>(
  socket: RouteSocket,
  writes: readonly Write<T>[],
  ledger: Ledger,
): Promise<readonly T[]> {
  if (writes.length === 0) return [];
  const refused: T[] = [];
  const results = await socket.execute(writes.map((write) => write.request));
  for (const [index, write] of writes.entries()) {
    const error = results[index];
    if (error === undefined) {
      ledger.changed();
    } else {
      ledger.fail(write.object, error.message);
      refused.push(write.item);
    }
  }
  return refused;
}
