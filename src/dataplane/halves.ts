/** A prefix as the two of the next length that make it up. */

import type { IpAddress, Prefix } from "../lib/index.ts";

/** Empty for a single address. */
export function halves({ address, length }: Prefix): Prefix[] {
  const bits = typeof address === "number" ? 32 : 128;
  if (length >= bits) return [];
  const upper =
    typeof address === "number"
      ? (address | (1 << (bits - 1 - length))) >>> 0
      : address | (1n << BigInt(bits - 1 - length));
  return [address, upper as IpAddress].map((half) => ({ address: half, length: length + 1 }));
}
