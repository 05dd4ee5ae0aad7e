/**
 * A list of prefixes with ranges of lengths, asked by binary search. The list cuts the address space into
 * segments; inside one, the length alone decides, by a table that equal segments share.
 */

import {
  bitsOf,
  type IpAddress,
  type Ipv4,
  type Ipv6,
  isIpv4,
  maskPrefix,
  prefixFamily,
} from "../../lib/index.ts";
import type { PrefixKey } from "../wire/index.ts";
import type { PrefixMatch } from "./rule.ts";

/** By length: 1 where it matches. */
type Lengths = Uint8Array;

/** Where a segment starts, as the key of a prefix of length 0 there, and what matches inside. */
interface Segments<K extends PrefixKey> {
  readonly starts: K[];
  readonly lengths: (Lengths | undefined)[];
}

/** One entry of the list: keys from `start` up to `end`, lengths from `shortest` to `longest`. */
interface Span<K extends PrefixKey> {
  readonly start: K;
  readonly end: K;
  readonly shortest: number;
  readonly longest: number;
}

export class PrefixSet {
  readonly #ipv4: Segments<number>;
  readonly #ipv6: Segments<bigint>;

  constructor(entries: readonly PrefixMatch[]) {
    const spans4: Span<number>[] = [];
    const spans6: Span<bigint>[] = [];
    for (const entry of entries) {
      const { address, length } = maskPrefix(entry.prefix);
      const shortest = Math.max(length, entry.minimumLength ?? length);
      const longest = entry.maximumLength ?? bitsOf(prefixFamily(entry.prefix));
      if (shortest > longest) continue;
      if (typeof address === "number")
        spans4.push({ ...span4(address, length), shortest, longest });
      else spans6.push({ ...span6(address as Ipv6, length), shortest, longest });
    }
    this.#ipv4 = segments(spans4);
    this.#ipv6 = segments(spans6);
  }

  /** Nothing is in it, of this family. */
  isEmpty(family: 4 | 6): boolean {
    return (family === 4 ? this.#ipv4 : this.#ipv6).starts.length === 0;
  }

  /** Allocates nothing for IPv4, nor for IPv6 where no entry covers the address. */
  has(key: PrefixKey): boolean {
    if (typeof key === "number") {
      const lengths = at(this.#ipv4, key);
      return lengths !== undefined && lengths[key % 64] === 1;
    }
    const lengths = at(this.#ipv6, key);
    return lengths !== undefined && lengths[Number(key & 255n)] === 1;
  }

  hasAddress(address: IpAddress): boolean {
    return this.has(keyOfAddress(address));
  }
}

/** Keys of prefixes as long as addresses: what is asked is whether the address is covered. */
function keyOfAddress(address: IpAddress): PrefixKey {
  return isIpv4(address) ? address * 64 + 32 : (address << 8n) | 128n;
}

function span4(address: Ipv4, length: number): { start: number; end: number } {
  return { start: address * 64, end: (address + 2 ** (32 - length)) * 64 };
}

function span6(address: Ipv6, length: number): { start: bigint; end: bigint } {
  return { start: address << 8n, end: (address + (1n << BigInt(128 - length))) << 8n };
}

function at<K extends PrefixKey>({ starts, lengths }: Segments<K>, key: K): Lengths | undefined {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (starts[middle]! <= key) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? undefined : lengths[low - 1];
}

/** Prefixes hold each other or lie apart, so a stack of those that hold the present place is enough. */
function segments<K extends PrefixKey>(spans: Span<K>[]): Segments<K> {
  const made: Segments<K> = { starts: [], lengths: [] };
  const shared = new SharedLengths();
  const open: { end: K; lengths: Lengths }[] = [];
  const begin = (start: K, lengths: Lengths | undefined) => {
    if (made.starts.at(-1) === start) {
      made.starts.pop();
      made.lengths.pop();
    }
    if (made.lengths.at(-1) === lengths) return;
    made.starts.push(start);
    made.lengths.push(lengths);
  };
  const closeUpTo = (place: K | undefined) => {
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      if (place !== undefined && top.end > place) return;
      open.pop();
      begin(top.end, open.at(-1)?.lengths);
    }
  };
  // The outer one first.
  spans.sort((a, b) =>
    a.start === b.start ? (a.end < b.end ? 1 : -1) : a.start < b.start ? -1 : 1,
  );
  for (const { start, end, shortest, longest } of spans) {
    closeUpTo(start);
    const lengths = shared.with(open.at(-1)?.lengths, shortest, longest);
    open.push({ end, lengths });
    begin(start, lengths);
  }
  closeUpTo(undefined);
  return made;
}

/** Equal tables are one, and made once where they come about in one way. */
class SharedLengths {
  readonly #made = new Map<Lengths | undefined, Map<number, Lengths>>();
  readonly #known = new Map<string, Lengths>();

  with(outer: Lengths | undefined, shortest: number, longest: number): Lengths {
    let inside = this.#made.get(outer);
    if (inside === undefined) {
      inside = new Map();
      this.#made.set(outer, inside);
    }
    const range = shortest * 256 + longest;
    let lengths = inside.get(range);
    if (lengths === undefined) {
      lengths = this.#intern(outer, shortest, longest);
      inside.set(range, lengths);
    }
    return lengths;
  }

  #intern(outer: Lengths | undefined, shortest: number, longest: number): Lengths {
    const lengths = outer?.slice() ?? new Uint8Array(129);
    lengths.fill(1, shortest, longest + 1);
    const key = lengths.join("");
    const known = this.#known.get(key);
    if (known === undefined) this.#known.set(key, lengths);
    return known ?? lengths;
  }
}
