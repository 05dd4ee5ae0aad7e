/**
 * A `Map` from prefixes in less memory and time than JavaScript's: IPv4 keys stand one after the other in
 * an array of numbers, in the order in which they came, and a table of slots by hash says where. IPv6,
 * whose keys are bigints, is left to a `Map`. A walk goes on while the table changes, as that of a `Map`.
 */

import type { PrefixKey } from "../wire/index.ts";

const GONE = -1;
const EMPTY_SLOT = 0;
const GONE_SLOT = -1;
const LEAST_SLOTS = 16;
/** Of the slots; entries that are gone take theirs until the table is made anew. */
const MOST_TAKEN = 0.75;

/** By chance, odd: a peer that chooses its prefixes is not to choose where they collide. */
const randomOdd = () => Math.floor(Math.random() * 2 ** 32) | 1;
const LOW_FACTOR = randomOdd();
const HIGH_FACTOR = randomOdd();

export class PrefixMap<V> {
  readonly #wide = new Map<bigint, V>();
  #keys = new Float64Array(0);
  #values: (V | undefined)[] = [];
  /** Number of an entry and one, by hash. */
  #slots = new Int32Array(0);
  #shift = 32;
  /** Entries before it are gone. */
  #head = 0;
  #end = 0;
  #live = 0;
  readonly #walks = new Set<Walk>();

  get size(): number {
    return this.#live + this.#wide.size;
  }

  get(key: PrefixKey): V | undefined {
    if (typeof key !== "number") return this.#wide.get(key);
    const slot = this.#find(key);
    return slot < 0 ? undefined : this.#values[this.#slots[slot]! - 1];
  }

  has(key: PrefixKey): boolean {
    return typeof key === "number" ? this.#find(key) >= 0 : this.#wide.has(key);
  }

  set(key: PrefixKey, value: V): void {
    if (typeof key !== "number") {
      this.#wide.set(key, value);
      return;
    }
    const slot = this.#find(key);
    if (slot >= 0) this.#values[this.#slots[slot]! - 1] = value;
    else this.#append(key, value);
  }

  delete(key: PrefixKey): boolean {
    if (typeof key !== "number") return this.#wide.delete(key);
    const slot = this.#find(key);
    if (slot < 0) return false;
    const entry = this.#slots[slot]! - 1;
    this.#slots[slot] = GONE_SLOT;
    this.#keys[entry] = GONE;
    this.#values[entry] = undefined;
    this.#live--;
    while (this.#head < this.#end && this.#keys[this.#head] === GONE) this.#head++;
    return true;
  }

  /**
   * In the order in which they came, IPv4 first. What is added meanwhile may come or not, everything else
   * comes once. Who leaves a walk unfinished calls its `return`, as `for...of` does.
   */
  keys(): Generator<PrefixKey, undefined> {
    return this.#walk();
  }

  *#walk(): Generator<PrefixKey, undefined> {
    const walk: Walk = { at: this.#head };
    this.#walks.add(walk);
    try {
      while (walk.at < this.#end) {
        const key = this.#keys[walk.at++]!;
        if (key !== GONE) yield key;
      }
    } finally {
      this.#walks.delete(walk);
    }
    yield* this.#wide.keys();
  }

  /** The slot of the key, or a negative number. */
  #find(key: number): number {
    if (this.#live === 0) return -1;
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = this.#home(key); ; slot = (slot + 1) & mask) {
      const entry = slots[slot]!;
      if (entry === EMPTY_SLOT) return -1;
      if (entry !== GONE_SLOT && this.#keys[entry - 1] === key) return slot;
    }
  }

  #home(key: number): number {
    const high = Math.floor(key / 2 ** 32);
    let hash = Math.imul(key | 0, LOW_FACTOR) ^ Math.imul(high + 1, HIGH_FACTOR);
    hash = Math.imul(hash ^ (hash >>> 15), LOW_FACTOR);
    return hash >>> this.#shift;
  }

  #append(key: number, value: V): void {
    if (this.#end === this.#keys.length) this.#rebuild();
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = this.#home(key);
    while (slots[slot] !== EMPTY_SLOT) slot = (slot + 1) & mask;
    this.#keys[this.#end] = key;
    this.#values[this.#end] = value;
    slots[slot] = ++this.#end;
    this.#live++;
  }

  /** Without those that are gone, with room for as many again. */
  #rebuild(): void {
    let slots = LEAST_SLOTS;
    while (slots * MOST_TAKEN * MOST_TAKEN <= this.#live) slots *= 2;
    const keys = new Float64Array(slots * MOST_TAKEN);
    const values: (V | undefined)[] = [];
    let end = 0;
    const walks = [...this.#walks].sort((a, b) => a.at - b.at);
    let moved = 0;
    for (let entry = this.#head; entry < this.#end; entry++) {
      while (moved < walks.length && walks[moved]!.at <= entry) walks[moved++]!.at = end;
      const key = this.#keys[entry]!;
      if (key === GONE) continue;
      keys[end++] = key;
      values.push(this.#values[entry]);
    }
    while (moved < walks.length) walks[moved++]!.at = end;
    this.#keys = keys;
    this.#values = values;
    this.#head = 0;
    this.#end = end;
    this.#fillSlots(slots);
  }

  #fillSlots(count: number): void {
    const slots =
      count === this.#slots.length ? this.#slots.fill(EMPTY_SLOT) : new Int32Array(count);
    this.#slots = slots;
    this.#shift = 32 - Math.log2(count);
    for (let entry = 0; entry < this.#end; entry++) {
      let slot = this.#home(this.#keys[entry]!);
      while (slots[slot] !== EMPTY_SLOT) slot = (slot + 1) & (count - 1);
      slots[slot] = entry + 1;
    }
  }
}

interface Walk {
  /** Number of the entry to come. */
  at: number;
}

/** Prefixes that wait for something: none twice, first come, first served. */
export class PrefixQueue {
  readonly #keys = new PrefixMap<true>();

  get size(): number {
    return this.#keys.size;
  }

  add(key: PrefixKey): void {
    if (!this.#keys.has(key)) this.#keys.set(key, true);
  }

  delete(key: PrefixKey): boolean {
    return this.#keys.delete(key);
  }

  /** As {@link PrefixMap.keys}. */
  [Symbol.iterator](): Generator<PrefixKey, undefined> {
    return this.#keys.keys();
  }
}
