/**
 * Hash of a prefix, for a table of our own: a `Map` would hash of a bigint its lowest 64 bits alone (V8 14),
 * which are the same in all IPv6 prefixes of one length up to 72, and take minutes for a hundred thousand.
 */

import type { PrefixKey } from "../wire/index.ts";

/** By chance: a peer that chooses its prefixes is not to choose where they collide. */
const SEED = random32();
const FACTOR = random32() | 1;
const HIGH_FACTOR = random32() | 1;

/** 32 bits. */
export function hashOf(key: PrefixKey): number {
  if (typeof key === "number") return mix(key ^ SEED ^ Math.imul(key / 2 ** 32 + 1, HIGH_FACTOR));
  let hash = SEED;
  for (let shift = 104n; shift > 0n; shift -= 32n) {
    hash = mix(hash ^ Number(BigInt.asUintN(32, key >> shift)));
  }
  return mix(hash ^ Number(BigInt.asUintN(8, key)));
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), FACTOR);
  return mixed ^ (mixed >>> 16);
}

function random32(): number {
  return Math.floor(Math.random() * 2 ** 32);
}
