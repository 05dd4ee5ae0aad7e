/** The fixed headers in front of rtnetlink's attributes: reading them without passing their end. */

import { malformed } from "./malformed.ts";
import type { Message } from "./message.ts";

/** Offset of the attributes behind a header of `size` bytes. @throws NETLINK_MALFORMED if it is short. */
export function headerEnd(message: Message, what: string, size: number): number {
  const { view, start, end } = message;
  if (end - start < size) throw malformed(`${what} of ${end - start} bytes`, view, start, end);
  return start + size;
}

/** A copy without the keys whose value is undefined, as exact optional properties want it. */
export function defined<T extends object>(
  values: T,
): { [K in keyof T]: Exclude<T[K], undefined> } & object {
  // Not `delete`, which would make each object a slow dictionary.
  const result: Partial<T> = {};
  for (const key in values) if (values[key] !== undefined) result[key] = values[key];
  return result as { [K in keyof T]: Exclude<T[K], undefined> } & object;
}
