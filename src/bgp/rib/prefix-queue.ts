/**
 * Prefixes that wait for something: none twice, first come, first served. Their numbers stand in a ring; which
 * of them wait is known by a bit for each number of the index, or by a `Set` while they are few.
 */

import { type Holder, type PrefixNumber, prefixIndex } from "./prefix-index.ts";

/** Bits for all numbers are made once more than one of so many waits: then they take less than a `Set`. */
const MOST_SPARSE = 1024;
const LEAST_DENSE = 64;
const LEAST_RING = 16;
/** What is larger is given back when nothing waits any more. */
const MOST_IDLE_RING = 1024;

export class PrefixQueue implements Holder {
  #ring = new Int32Array(LEAST_RING);
  #first = 0;
  #size = 0;
  #few = new Set<number>();
  #bits: Uint32Array | undefined;

  constructor() {
    prefixIndex.register(this);
  }

  get size(): number {
    return this.#size;
  }

  /** Nothing changes for one that waits already. */
  add(number: PrefixNumber): void {
    if (!this.#enter(number)) return;
    if (this.#size === this.#ring.length) this.#grow();
    this.#ring[(this.#first + this.#size++) & (this.#ring.length - 1)] = number;
  }

  /** Whose turn it is. */
  take(): PrefixNumber | undefined {
    if (this.#size === 0) return undefined;
    const number = this.#ring[this.#first]!;
    this.#first = (this.#first + 1) & (this.#ring.length - 1);
    if (this.#bits === undefined) this.#few.delete(number);
    else this.#bits[number >>> 5]! &= ~(1 << (number & 31));
    if (--this.#size === 0) this.#rest();
    return number as PrefixNumber;
  }

  mark(held: Uint8Array): void {
    const mask = this.#ring.length - 1;
    for (let at = 0; at < this.#size; at++) held[this.#ring[(this.#first + at) & mask]!] = 1;
  }

  /** False: it is in already. */
  #enter(number: PrefixNumber): boolean {
    if (this.#bits === undefined) {
      if (this.#size < LEAST_DENSE || this.#size * MOST_SPARSE < prefixIndex.capacity) {
        const before = this.#few.size;
        this.#few.add(number);
        return this.#few.size > before;
      }
      this.#toBits();
    }
    if (number >>> 5 >= this.#bits!.length) this.#toBits();
    const bits = this.#bits!;
    const bit = 1 << (number & 31);
    if ((bits[number >>> 5]! & bit) !== 0) return false;
    bits[number >>> 5]! |= bit;
    return true;
  }

  #toBits(): void {
    const bits = new Uint32Array((prefixIndex.capacity + 31) >>> 5);
    if (this.#bits !== undefined) bits.set(this.#bits);
    for (const number of this.#few) bits[number >>> 5]! |= 1 << (number & 31);
    this.#bits = bits;
    this.#few = new Set();
  }

  #grow(): void {
    const ring = new Int32Array(2 * this.#ring.length);
    ring.set(this.#ring.subarray(this.#first));
    ring.set(this.#ring.subarray(0, this.#first), this.#ring.length - this.#first);
    this.#ring = ring;
    this.#first = 0;
  }

  #rest(): void {
    this.#bits = undefined;
    if (this.#ring.length <= MOST_IDLE_RING) return;
    this.#ring = new Int32Array(LEAST_RING);
    this.#first = 0;
  }
}
