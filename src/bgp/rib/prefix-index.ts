/**
 * Numbers for the prefixes that any table holds, so that a table may be an array. A number stays while a
 * table holds its prefix; when there are no more, the tables are asked which they hold, and the others
 * are given away again: nothing is counted on the way of a route, and who forgets a table leaks nothing.
 */

import type { AddressFamily } from "../types.ts";
import { familyOfKey, type PrefixKey } from "../wire/index.ts";
import { hashOf } from "./prefix-hash.ts";

declare const numbered: unique symbol;

/**
 * A prefix by its number in {@link prefixIndex}: what a route is looked up for once when it comes in, and known
 * by in all tables. Good for as long as a table holds it, else until the next `add`: nobody keeps one for himself.
 */
export type PrefixNumber = number & { readonly [numbered]: true };

/** A table, as the index sees it. */
export interface Holder {
  /** Sets a 1 for each number that it holds. */
  mark(held: Uint8Array): void;
}

const LEAST = 1024;
const EMPTY = 0;
const GONE = -1;
/** Stands in an array of numbers for a bigint, which stands in another. */
const WIDE = -2;

export class PrefixIndex {
  #keys = new Float64Array(LEAST);
  /**
   * By the hash of a key: a number and one, in as many bits as a place in this array takes; above them bits of
   * the hash, so that other keys are seen to be others without a look at them. A power of two long.
   */
  #slots = new Int32Array(2 * LEAST);
  readonly #wideKeys: (bigint | undefined)[] = [];
  #next = 0;
  #free: PrefixNumber[] = [];
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

  /** `undefined`: no table holds it; a number does not mean that one does. */
  find(key: PrefixKey): PrefixNumber | undefined {
    return this.#at(this.#slot(key, hashOf(key)));
  }

  keyOf(number: PrefixNumber): PrefixKey {
    const key = this.#keys[number]!;
    return key === WIDE ? this.#wideKeys[number]! : key;
  }

  familyOf(number: PrefixNumber): AddressFamily {
    return familyOfKey(this.keyOf(number));
  }

  add(key: PrefixKey): PrefixNumber {
    const hash = hashOf(key);
    let slot = this.#slot(key, hash);
    const known = this.#at(slot);
    if (known !== undefined) return known;
    if (this.#next === this.#keys.length && this.#free.length === 0) {
      this.#makeRoom();
      slot = this.#slot(key, hash);
    }
    const number = this.#free.pop() ?? (this.#next++ as PrefixNumber);
    this.#put(slot, hash, number);
    if (typeof key === "number") {
      this.#keys[number] = key;
    } else {
      this.#keys[number] = WIDE;
      this.#wideKeys[number] = key;
    }
    return number;
  }

  #at(slot: number): PrefixNumber | undefined {
    const entry = this.#slots[slot]!;
    if (entry === EMPTY) return undefined;
    return ((entry & (this.#slots.length - 1)) - 1) as PrefixNumber;
  }

  #put(slot: number, hash: number, number: number): void {
    this.#slots[slot] = (hash & -this.#slots.length) | (number + 1);
  }

  /** Where the key stands, or is to stand. */
  #slot(key: PrefixKey, hash: number): number {
    const slots = this.#slots;
    const keys: ArrayLike<PrefixKey | undefined> =
      typeof key === "number" ? this.#keys : this.#wideKeys;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot]!;
      if (entry === EMPTY) return slot;
      if (((entry ^ hash) & ~mask) === 0 && keys[(entry & mask) - 1] === key) return slot;
    }
  }

  #makeRoom(): void {
    const count = this.#keys.length;
    const held = new Uint8Array(count);
    for (const reference of this.#holders) reference.deref()?.mark(held);
    const free: PrefixNumber[] = [];
    // The lowest is taken first: tables stay dense.
    for (let number = count - 1; number >= 0; number--) {
      if (held[number] === 1) continue;
      this.#forget(number);
      free.push(number as PrefixNumber);
    }
    this.#free = free;
    if (4 * free.length < count) this.#grow(2 * count);
    this.#slots.fill(EMPTY);
    for (let number = 0; number < count; number++) {
      if (this.#keys[number] === GONE) continue;
      const key = this.keyOf(number as PrefixNumber);
      const hash = hashOf(key);
      this.#put(this.#slot(key, hash), hash, number);
    }
  }

  #forget(number: number): void {
    if (this.#keys[number] === WIDE) this.#wideKeys[number] = undefined;
    this.#keys[number] = GONE;
  }

  #grow(count: number): void {
    const keys = new Float64Array(count);
    keys.set(this.#keys);
    this.#keys = keys;
    this.#slots = new Int32Array(2 * count);
  }
}

/** Of all tables of the process: a prefix is mostly held by several. */
export const prefixIndex = new PrefixIndex();
