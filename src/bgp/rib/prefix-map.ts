/**
 * A `Map` of prefixes by their numbers in the index that all tables share: a table of many is an array, one
 * of few is a `Map` of small integers. A walk goes on while the table changes.
 */

import { type Holder, type PrefixNumber, prefixIndex } from "./prefix-index.ts";

/** A table that holds more than one of so many numbers is an array. */
const MOST_SPARSE = 16;
const LEAST_DENSE = 64;

export class PrefixMap<V> implements Holder {
  /** By number; one of the two holds everything. */
  #dense: (V | undefined)[] | undefined;
  #sparse = new Map<PrefixNumber, V>();
  #size = 0;

  constructor() {
    prefixIndex.register(this);
  }

  get size(): number {
    return this.#size;
  }

  get(number: PrefixNumber): V | undefined {
    const dense = this.#dense;
    if (dense !== undefined) return number < dense.length ? dense[number] : undefined;
    return this.#size === 0 ? undefined : this.#sparse.get(number);
  }

  has(number: PrefixNumber): boolean {
    return this.get(number) !== undefined;
  }

  set(number: PrefixNumber, value: V): void {
    if (this.get(number) === undefined) this.#size++;
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

  delete(number: PrefixNumber): boolean {
    if (this.get(number) === undefined) return false;
    this.#size--;
    if (this.#dense === undefined) this.#sparse.delete(number);
    else if (this.#size === 0) this.#dense = undefined;
    else this.#dense[number] = undefined;
    return true;
  }

  /**
   * In no order. What is added meanwhile may come or not, everything else that stays comes once.
   */
  *numbers(): Generator<PrefixNumber, undefined> {
    let at = 0;
    for (; this.#dense !== undefined && at < this.#dense.length; at++) {
      if (this.#dense[at] !== undefined) yield at as PrefixNumber;
    }
    if (this.#dense !== undefined) return;
    // Should it become an array meanwhile, this Map stays as it was.
    for (const number of this.#sparse.keys()) {
      if (number >= at && this.get(number) !== undefined) yield number;
    }
  }

  mark(held: Uint8Array): void {
    for (const number of this.#sparse.keys()) held[number] = 1;
    const dense = this.#dense ?? [];
    for (let number = 0; number < dense.length; number++) {
      if (dense[number] !== undefined) held[number] = 1;
    }
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
      if (value !== undefined) this.#sparse.set(number as PrefixNumber, value);
    }
  }
}
