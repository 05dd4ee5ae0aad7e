/**
 * A prefix as one value that is its own hash key: a number for IPv4 (address * 64 + length, below
 * 2^38), a bigint for IPv6. Tables hold keys, so that a route costs no object.
 */

import { type Ipv4, type Ipv6, maskAddress, type Prefix } from "../../lib/index.ts";
import type { AddressFamily } from "../types.ts";

export type PrefixKey = number | bigint;

const LENGTH_SPAN = 64;

export function keyOfPrefix(prefix: Prefix): PrefixKey {
  const address = maskAddress(prefix.address, prefix.length);
  if (typeof address === "number") return address * LENGTH_SPAN + prefix.length;
  return ((address as bigint) << 8n) | BigInt(prefix.length);
}

export function prefixOfKey(key: PrefixKey): Prefix {
  if (typeof key === "number") {
    const length = key % LENGTH_SPAN;
    return { address: ((key - length) / LENGTH_SPAN) as Ipv4, length };
  }
  return { address: (key >> 8n) as Ipv6, length: Number(key & 255n) };
}

export function familyOfKey(key: PrefixKey): AddressFamily {
  return typeof key === "number" ? "ipv4-unicast" : "ipv6-unicast";
}
