/**
 * A map from prefixes to values that answers longest-prefix questions, for IPv4 and IPv6 together.
 *
 * One hash map per prefix length that is in use, looked through from the longest. Routing tables use
 * few lengths (a pod network: /26 and /32), so a lookup is a handful of hash probes and allocates
 * nothing; a binary trie of 128-bit bigints is several times slower and no shorter to write.
 */

import type { Family, IpAddress } from "./address.ts";
import { bitsOf, familyOf } from "./address.ts";
import { addressAt, maskAddress, type Prefix, prefixContains } from "./prefix.ts";

export interface PrefixEntry<V> {
  /** Without host bits. */
  readonly prefix: Prefix;
  readonly value: V;
}

/**
 * The network bits of an address. For IPv4 a *signed* 32-bit number, which the engine keeps unboxed
 * for the whole address range: hashing it is several times quicker.
 */
type NetworkBits = number | bigint;

interface Level<V> {
  readonly length: number;
  readonly mask: NetworkBits;
  readonly entries: Map<NetworkBits, PrefixEntry<V>>;
}

function maskOf(family: Family, length: number): NetworkBits {
  if (family === 4) return length === 0 ? 0 : -1 << (32 - length);
  return ((1n << BigInt(length)) - 1n) << BigInt(128 - length);
}

function networkBits(address: IpAddress, mask: NetworkBits): NetworkBits {
  return typeof address === "number" ? address & (mask as number) : address & (mask as bigint);
}

export class PrefixTrie<V> {
  /** Levels in use, longest first; none is empty. */
  readonly #levels: Record<Family, Level<V>[]> = { 4: [], 6: [] };
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Host bits of `prefix` are ignored, here and in every other method. */
  set(prefix: Prefix, value: V): void {
    const { length } = prefix;
    const address = maskAddress(prefix.address, length);
    const { mask, entries } = this.#levelFor(familyOf(address), length);
    const key = networkBits(address, mask);
    if (!entries.has(key)) this.#size++;
    entries.set(key, { prefix: { address, length }, value });
  }

  get(prefix: Prefix): V | undefined {
    return this.#find(prefix)?.value;
  }

  has(prefix: Prefix): boolean {
    return this.#find(prefix) !== undefined;
  }

  /** True if it was there. */
  delete(prefix: Prefix): boolean {
    const levels = this.#levels[familyOf(prefix.address)];
    const index = levels.findIndex((level) => level.length === prefix.length);
    const level = levels[index];
    if (!level?.entries.delete(networkBits(prefix.address, level.mask))) return false;
    if (level.entries.size === 0) levels.splice(index, 1);
    this.#size--;
    return true;
  }

  clear(): void {
    this.#levels[4] = [];
    this.#levels[6] = [];
    this.#size = 0;
  }

  /** The entry that routes `address`. */
  longestMatch(address: IpAddress): PrefixEntry<V> | undefined {
    for (const { mask, entries } of this.#levels[familyOf(address)]) {
      const entry = entries.get(networkBits(address, mask));
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  /** Entries that contain `prefix`, itself included, longest first. */
  *covering(prefix: Prefix): IterableIterator<PrefixEntry<V>> {
    for (const { length, mask, entries } of [...this.#levels[familyOf(prefix.address)]]) {
      if (length > prefix.length) continue;
      const entry = entries.get(networkBits(prefix.address, mask));
      if (entry !== undefined) yield entry;
    }
  }

  /** Entries inside `prefix`, itself included, in no particular order. */
  *coveredBy(prefix: Prefix): IterableIterator<PrefixEntry<V>> {
    for (const { length, mask, entries } of [...this.#levels[familyOf(prefix.address)]]) {
      if (length < prefix.length) continue;
      const possible = 2 ** (length - prefix.length);
      if (possible < entries.size) {
        const step = 2 ** (bitsOf(familyOf(prefix.address)) - length);
        for (let i = 0; i < possible; i++) {
          const entry = entries.get(networkBits(addressAt(prefix, i * step), mask));
          if (entry !== undefined) yield entry;
        }
      } else {
        for (const entry of entries.values()) {
          if (prefixContains(prefix, entry.prefix.address)) yield entry;
        }
      }
    }
  }

  /** IPv4 before IPv6, longer before shorter, otherwise in order of insertion. */
  *entries(): IterableIterator<PrefixEntry<V>> {
    for (const level of [...this.#levels[4], ...this.#levels[6]]) yield* level.entries.values();
  }

  [Symbol.iterator](): IterableIterator<PrefixEntry<V>> {
    return this.entries();
  }

  #find(prefix: Prefix): PrefixEntry<V> | undefined {
    for (const { length, mask, entries } of this.#levels[familyOf(prefix.address)]) {
      if (length === prefix.length) return entries.get(networkBits(prefix.address, mask));
    }
    return undefined;
  }

  #levelFor(family: Family, length: number): Level<V> {
    const levels = this.#levels[family];
    const index = levels.findIndex((level) => level.length <= length);
    const found = levels[index];
    if (found?.length === length) return found;
    const level: Level<V> = { length, mask: maskOf(family, length), entries: new Map() };
    levels.splice(index < 0 ? levels.length : index, 0, level);
    return level;
  }
}
