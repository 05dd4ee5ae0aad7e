/**
 * A `Map` and a queue of prefixes, by their numbers in the index that all tables share: a table of many
 * is an array, one of few is a `Map` of small integers. A walk goes on while the table changes.
 */

import type { PrefixKey } from "../wire/index.ts";
import { type Holder, prefixIndex } from "./prefix-index.ts";

/** A table that holds more than one of so many numbers is an array. */
const MOST_SPARSE = 16;
const LEAST_DENSE = 64;

export class PrefixMap<V> implements Holder {
  /** By number; one of the two holds everything. */
  #dense: (V | undefined)[] | undefined;
  #sparse = new Map<number, V>();
  #size = 0;

  constructor() {
    prefixIndex.register(this);
  }

  get size(): number {
    return this.#size;
  }

  get(key: PrefixKey): V | undefined {
    if (this.#size === 0) return undefined;
    const number = prefixIndex.find(key);
    return number < 0 ? undefined : this.#at(number);
  }

  has(key: PrefixKey): boolean {
    return this.get(key) !== undefined;
  }

  set(key: PrefixKey, value: V): void {
    const number = prefixIndex.add(key);
    if (this.#at(number) === undefined) this.#size++;
    if (this.#dense === undefined) {
      this.#sparse.set(number, value);
      if (this.#size >= LEAST_DENSE && this.#isDense()) this.#toDense();
      return;
    }
    if (number >= this.#dense.length) {
      if (this.#isDense()) this.#toDense();
      else this.#toSparse();
    }
    if (this.#dense === undefined) this.#sparse.set(number, value);
    else this.#dense[number] = value;
  }

  delete(key: PrefixKey): boolean {
    if (this.#size === 0) return false;
    const number = prefixIndex.find(key);
    if (number < 0 || this.#at(number) === undefined) return false;
    this.#size--;
    if (this.#dense === undefined) this.#sparse.delete(number);
    else if (this.#size === 0) this.#dense = undefined;
    else this.#dense[number] = undefined;
    return true;
  }

  /**
   * In no order. What is added meanwhile may come or not, everything else that stays comes once.
   */
  *keys(): Generator<PrefixKey, undefined> {
    let at = 0;
    for (; this.#dense !== undefined && at < this.#dense.length; at++) {
      if (this.#dense[at] !== undefined) yield prefixIndex.keyOf(at);
    }
    if (this.#dense !== undefined) return;
    // Should it become an array meanwhile, this Map stays as it was.
    for (const number of this.#sparse.keys()) {
      if (number >= at && this.#at(number) !== undefined) yield prefixIndex.keyOf(number);
    }
  }

  mark(held: Uint8Array): void {
    for (const number of this.#sparse.keys()) held[number] = 1;
    const dense = this.#dense ?? [];
    for (let number = 0; number < dense.length; number++) {
      if (dense[number] !== undefined) held[number] = 1;
    }
  }

  #at(number: number): V | undefined {
    if (this.#dense === undefined) return this.#sparse.get(number);
    return number < this.#dense.length ? this.#dense[number] : undefined;
  }

  #isDense(): boolean {
    return this.#size * MOST_SPARSE > prefixIndex.capacity;
  }

  #toDense(): void {
    // Of its full length from the start: an array that grows is copied each time.
    const dense = new Array<V | undefined>(prefixIndex.capacity).fill(undefined);
    const before = this.#dense ?? [];
    for (let number = 0; number < before.length; number++) dense[number] = before[number];
    for (const [number, value] of this.#sparse) dense[number] = value;
    this.#dense = dense;
    this.#sparse = new Map();
  }

  #toSparse(): void {
    const dense = this.#dense ?? [];
    this.#dense = undefined;
    this.#sparse = new Map();
    for (const [number, value] of dense.entries()) {
      if (value !== undefined) this.#sparse.set(number, value);
    }
  }
}

/** Prefixes that wait for something: none twice, first come, first served. */
export class PrefixQueue implements Holder {
  readonly #numbers = new Set<number>();

  constructor() {
    prefixIndex.register(this);
  }

  get size(): number {
    return this.#numbers.size;
  }

  add(key: PrefixKey): void {
    this.#numbers.add(prefixIndex.add(key));
  }

  delete(key: PrefixKey): boolean {
    return this.#numbers.delete(prefixIndex.find(key));
  }

  /** What is added meanwhile comes too. */
  *[Symbol.iterator](): Generator<PrefixKey, undefined> {
    for (const number of this.#numbers) yield prefixIndex.keyOf(number);
  }

  mark(held: Uint8Array): void {
    for (const number of this.#numbers) held[number] = 1;
  }
}
