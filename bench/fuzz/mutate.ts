/** Changes inputs at random: blindly, and in the shapes of BGP messages, so that what is behind a length is reached. */

import type { Chunk, Input } from "./input.ts";

/** In [0, 1); the same sequence for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const HEADER_BYTES = 19;
const MAXIMUM_BYTES = 65_535;
const MAXIMUM_CHUNKS = 24;
/** Ends of ranges, and numbers that mean something in BGP: flags, types, codes, families. */
const telling = [
  ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14, 15, 16, 17, 18, 32, 64, 65, 69, 70, 71, 73],
  ...[0x40, 0x50, 0x7f, 0x80, 0x90, 0xc0, 0xd0, 0xe0, 0xfe, 0xff, 23, 24, 33, 128, 129],
];

export class Mutator {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Below `limit`. */
  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** `others`: inputs that parts may be taken from. */
  mutate(input: Input, others: readonly Input[]): Input {
    let changed = input.length === 0 ? [this.#chunk()] : [...input];
    for (let left = 1 + this.below(4); left > 0; left--) {
      changed =
        this.#random() < 0.2 ? this.#order(changed, others) : this.#content(changed, others);
    }
    return changed.slice(0, MAXIMUM_CHUNKS);
  }

  #chunk(): Chunk {
    const bytes = Uint8Array.from({ length: this.below(40) }, () => this.below(256));
    return { bytes, pause: this.below(10) };
  }

  /** Which chunks there are, and in which order. */
  #order(chunks: readonly Chunk[], others: readonly Input[]): Chunk[] {
    const at = this.below(chunks.length);
    const rest = [...chunks.slice(0, at), ...chunks.slice(at + 1)];
    switch (this.below(5)) {
      case 0:
        return rest.length === 0 ? [...chunks] : rest;
      case 1:
        return [...chunks.slice(0, at), chunks[at]!, ...chunks.slice(at)];
      case 2:
        return [...chunks.slice(0, at), ...this.pick(others), ...chunks.slice(at)];
      case 3: {
        const to = this.below(rest.length + 1);
        return [...rest.slice(0, to), chunks[at]!, ...rest.slice(to)];
      }
      default:
        return chunks.map((each, i) => (i === at ? { ...each, pause: this.below(10) } : each));
    }
  }

  #content(chunks: readonly Chunk[], others: readonly Input[]): Chunk[] {
    const at = this.below(chunks.length);
    const other = this.pick(others);
    const donor = other.length === 0 ? new Uint8Array(0) : this.pick(other).bytes;
    return chunks.map((each, i) => {
      if (i !== at) return each;
      const bytes = this.#bytes(each.bytes, donor).slice(0, MAXIMUM_BYTES);
      return { ...each, bytes: this.#random() < 0.8 ? mended(bytes, this.below(8)) : bytes };
    });
  }

  #bytes(bytes: Uint8Array, donor: Uint8Array): Uint8Array {
    // What is behind the header is worth more changes than the marker.
    const from = bytes.length > HEADER_BYTES && this.#random() < 0.9 ? HEADER_BYTES : 0;
    const at = from + this.below(Math.max(1, bytes.length - from));
    const length = 1 + this.below(Math.min(16, Math.max(1, bytes.length - at)));
    const part = bytes.subarray(at, at + length);
    switch (this.below(7)) {
      case 0:
        return replaced(bytes, { at, cut: 1, put: [this.below(256)] });
      case 1:
        return replaced(bytes, { at, cut: 1, put: [this.pick(telling)] });
      case 2: {
        const near = (bytes[at] ?? 0) + this.below(5) - 2;
        return replaced(bytes, { at, cut: 1, put: [near & 255] });
      }
      case 3:
        return replaced(bytes, { at, cut: length, put: [] });
      case 4:
        return replaced(bytes, { at, cut: 0, put: part });
      case 5: {
        const begin = this.below(Math.max(1, donor.length));
        const taken = donor.subarray(begin, begin + 1 + this.below(40));
        return replaced(bytes, { at, cut: this.below(2) * taken.length, put: taken });
      }
      default: {
        const put = Uint8Array.from({ length }, () => this.pick(telling));
        return replaced(bytes, { at, cut: this.below(2) * length, put });
      }
    }
  }
}

function replaced(
  bytes: Uint8Array,
  { at, cut, put }: { readonly at: number; readonly cut: number; readonly put: Iterable<number> },
): Uint8Array {
  return Uint8Array.of(...bytes.subarray(0, at), ...put, ...bytes.subarray(at + cut));
}

/** With the lengths that its size asks for; `nlriBytes`: so much of an UPDATE is routes, if it can be. */
function mended(bytes: Uint8Array, nlriBytes: number): Uint8Array {
  if (bytes.length < HEADER_BYTES) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  bytes.fill(0xff, 0, 16);
  view.setUint16(16, bytes.length);
  const type = bytes[18];
  if (type === 1 && bytes.length >= 31) {
    bytes[28] = bytes.length - 29;
    bytes[30] = bytes.length - 31;
  }
  if (type === 2 && bytes.length >= 23) {
    const withdrawn = Math.min(view.getUint16(19), bytes.length - 23);
    view.setUint16(19, withdrawn);
    view.setUint16(21 + withdrawn, Math.max(0, bytes.length - 23 - withdrawn - nlriBytes));
  }
  return bytes;
}
