/** Many netlink changes in one go; each refusal is reported under the name of its object. */

import type { Request, RouteSocket } from "../netlink/index.ts";
import type { Ledger } from "./ledger.ts";

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
  const requests = writes.map((write) => write.request);
  const attempted = await socket.executeEach(requests, ({ index, error }) => {
    const { object, item } = writes[index]!;
    ledger.fail(typeof object === "string" ? object : object(), error.message);
    refused.push(item);
  });
  ledger.changed(attempted - refused.length);
  return refused;
}
