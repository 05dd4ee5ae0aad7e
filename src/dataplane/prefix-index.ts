/**
 * Prefixes of one address family, each at a place in dense columns: a hash index of 32-bit places over
 * typed arrays, so that 100,000 prefixes cost some 20 bytes each and no object. The place of a prefix
 * changes when another is removed ({@link PrefixIndex.remove}).
 */

import type { Family, IpAddress, Prefix } from "../lib/index.ts";

const FIRST_CAPACITY = 64;

export class PrefixIndex {
  readonly #words: 1 | 4;
  /** Address words, `#words` to a prefix. */
  #addresses: Uint32Array;
  #lengths: Uint8Array;
  /** Place plus one by hash; 0: free. At most half full; linear probing. */
  #buckets: Int32Array;
  #size = 0;
  /** The address that is looked for. */
  readonly #key = new Uint32Array(4);

  /** `room`: how many prefixes it will hold at least. */
  constructor(family: Family, room = 0) {
    let capacity = FIRST_CAPACITY;
    while (capacity < room) capacity *= 2;
    this.#words = family === 4 ? 1 : 4;
    this.#addresses = new Uint32Array(capacity * this.#words);
    this.#lengths = new Uint8Array(capacity);
    this.#buckets = new Int32Array(capacity * 2);
  }

  get size(): number {
    return this.#size;
  }

  /** Places that fit before the next growth: how long columns beside this must be. */
  get capacity(): number {
    return this.#lengths.length;
  }

  /** The place of a prefix; -1 if it is not here. */
  find({ address, length }: Prefix): number {
    this.#load(address);
    return this.#buckets[this.#bucket(length)]! - 1;
  }

  /** The place of a prefix, the next free one if it is new. */
  add(prefix: Prefix): number {
    this.#load(prefix.address);
    const bucket = this.#bucket(prefix.length);
    const found = this.#buckets[bucket]! - 1;
    if (found !== -1) return found;
    if (this.#size === this.capacity) {
      this.#grow();
      return this.add(prefix);
    }
    const place = this.#size++;
    this.#storeAt(place);
    this.#lengths[place] = prefix.length;
    this.#buckets[bucket] = place + 1;
    return place;
  }

  /** Takes out the prefix at `place`; the last one moves there. Returns the place that is free now. */
  remove(place: number): number {
    this.#loadPlace(place);
    this.#unlink(this.#bucket(this.#lengths[place]!));
    const last = --this.#size;
    if (last !== place) {
      this.#loadPlace(last);
      this.#buckets[this.#bucket(this.#lengths[last]!)] = place + 1;
      this.#storeAt(place);
      this.#lengths[place] = this.#lengths[last]!;
    }
    return last;
  }

  at(place: number): Prefix {
    const length = this.#lengths[place]!;
    if (this.#words === 1) return { address: this.#addresses[place] as IpAddress, length };
    let address = 0n;
    for (let i = 0; i < 4; i++)
      address = (address << 32n) | BigInt(this.#addresses[place * 4 + i]!);
    return { address: address as IpAddress, length };
  }

  #load(address: IpAddress): void {
    if (typeof address === "number") {
      this.#key[0] = address;
      return;
    }
    for (let i = 0; i < 4; i++)
      this.#key[i] = Number((address >> BigInt(96 - 32 * i)) & 0xffff_ffffn);
  }

  #loadPlace(place: number): void {
    for (let i = 0; i < this.#words; i++) this.#key[i] = this.#addresses[place * this.#words + i]!;
  }

  #storeAt(place: number): void {
    for (let i = 0; i < this.#words; i++) this.#addresses[place * this.#words + i] = this.#key[i]!;
  }

  /** Where the prefix of `#key` and `length` is, or would be put. */
  #bucket(length: number): number {
    const mask = this.#buckets.length - 1;
    for (let bucket = this.#home(length); ; bucket = (bucket + 1) & mask) {
      const place = this.#buckets[bucket]! - 1;
      if (place === -1 || (this.#lengths[place] === length && this.#isKey(place))) return bucket;
    }
  }

  #isKey(place: number): boolean {
    for (let i = 0; i < this.#words; i++) {
      if (this.#addresses[place * this.#words + i] !== this.#key[i]) return false;
    }
    return true;
  }

  /** The bucket that the hash of `#key` and `length` names. */
  #home(length: number): number {
    let hash = length;
    for (let i = 0; i < this.#words; i++) hash = Math.imul(hash ^ this.#key[i]!, 0x9e37_79b1);
    // The low bits of a product depend on the low bits of its factors only, which are 0 in a prefix.
    return (hash ^ (hash >>> 15)) & (this.#buckets.length - 1);
  }

  /** Empties a bucket, and moves up what was pushed past it. */
  #unlink(bucket: number): void {
    const mask = this.#buckets.length - 1;
    let hole = bucket;
    for (let next = (hole + 1) & mask; this.#buckets[next] !== 0; next = (next + 1) & mask) {
      const place = this.#buckets[next]! - 1;
      this.#loadPlace(place);
      const home = this.#home(this.#lengths[place]!);
      // May it stand in the hole? Only if its home is not between the hole and where it is.
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        this.#buckets[hole] = place + 1;
        hole = next;
      }
    }
    this.#buckets[hole] = 0;
  }

  #grow(): void {
    const capacity = this.capacity * 2;
    const addresses = new Uint32Array(capacity * this.#words);
    addresses.set(this.#addresses);
    const lengths = new Uint8Array(capacity);
    lengths.set(this.#lengths);
    this.#addresses = addresses;
    this.#lengths = lengths;
    this.#buckets = new Int32Array(capacity * 2);
    for (let place = 0; place < this.#size; place++) {
      this.#loadPlace(place);
      this.#buckets[this.#bucket(lengths[place]!)] = place + 1;
    }
  }
}
