/**
 * Numbers for the prefixes that any table holds, so that a table may be an array. A number stays while a
 * table holds its prefix; when there are no more, the tables are asked which they hold, and the others
 * are given away again: nothing is counted on the way of a route, and who forgets a table leaks nothing.
 */

import type { PrefixKey } from "../wire/index.ts";

/** A table, as the index sees it. */
export interface Holder {
  /** Sets a 1 for each number that it holds. */
  mark(held: Uint8Array): void;
}

const LEAST = 1024;
const EMPTY = 0;
const GONE = -1;
/** Stands in an array of numbers for a bigint. */
const WIDE = -2;
/** By chance: a peer that chooses its prefixes is not to choose where they collide. */
const SEED = Math.floor(Math.random() * 2 ** 32);
const HIGH_FACTOR = Math.floor(Math.random() * 2 ** 32) | 1;

export class PrefixIndex {
  #keys = new Float64Array(LEAST);
  /** A number and one, by the hash of an IPv4 key. */
  #slots = new Int32Array(2 * LEAST);
  readonly #wideNumbers = new Map<bigint, number>();
  readonly #wideKeys = new Map<number, bigint>();
  #next = 0;
  #free: number[] = [];
  #holders: WeakRef<Holder>[] = [];
  #mostHolders = 1024;

  /** All numbers are below. */
  get capacity(): number {
    return this.#keys.length;
  }

  register(holder: Holder): void {
    if (this.#holders.length >= this.#mostHolders) {
      this.#holders = this.#holders.filter((reference) => reference.deref() !== undefined);
      this.#mostHolders = Math.max(1024, 2 * this.#holders.length);
    }
    this.#holders.push(new WeakRef(holder));
  }

  /** A negative number if no table holds it; a number does not mean that one does. */
  find(key: PrefixKey): number {
    if (typeof key !== "number") return this.#wideNumbers.get(key) ?? -1;
    return this.#slots[this.#slot(key)]! - 1;
  }

  /** The prefix of a number that a table holds. */
  keyOf(number: number): PrefixKey {
    const key = this.#keys[number]!;
    return key === WIDE ? this.#wideKeys.get(number)! : key;
  }

  /** Its number, for a table that takes it before it asks for the next. */
  add(key: PrefixKey): number {
    const known = this.find(key);
    if (known >= 0) return known;
    if (this.#next === this.#keys.length && this.#free.length === 0) this.#makeRoom();
    const number = this.#free.pop() ?? this.#next++;
    if (typeof key === "number") {
      this.#keys[number] = key;
      this.#slots[this.#slot(key)] = number + 1;
    } else {
      this.#keys[number] = WIDE;
      this.#wideKeys.set(number, key);
      this.#wideNumbers.set(key, number);
    }
    return number;
  }

  /** Where the key stands, or is to stand. */
  #slot(key: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash(key) & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot]!;
      if (entry === EMPTY || this.#keys[entry - 1] === key) return slot;
    }
  }

  #makeRoom(): void {
    const count = this.#keys.length;
    const held = new Uint8Array(count);
    for (const reference of this.#holders) reference.deref()?.mark(held);
    const free: number[] = [];
    // The lowest is taken first: tables stay dense.
    for (let number = count - 1; number >= 0; number--) {
      if (held[number] === 1) continue;
      this.#forget(number);
      free.push(number);
    }
    this.#free = free;
    if (4 * free.length < count) this.#grow(2 * count);
    this.#slots.fill(EMPTY);
    for (let number = 0; number < count; number++) {
      const key = this.#keys[number]!;
      if (key >= 0) this.#slots[this.#slot(key)] = number + 1;
    }
  }

  #forget(number: number): void {
    if (this.#keys[number] === WIDE) {
      this.#wideNumbers.delete(this.#wideKeys.get(number)!);
      this.#wideKeys.delete(number);
    }
    this.#keys[number] = GONE;
  }

  #grow(count: number): void {
    const keys = new Float64Array(count);
    keys.set(this.#keys);
    this.#keys = keys;
    this.#slots = new Int32Array(2 * count);
  }
}

function hash(key: number): number {
  let mixed = key ^ SEED ^ Math.imul(Math.floor(key / 2 ** 32) + 1, HIGH_FACTOR);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** Of all tables of the process: a prefix is mostly held by several. */
export const prefixIndex = new PrefixIndex();
