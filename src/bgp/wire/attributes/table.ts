/**
 * Attribute sets seen, each kept once, decoded or encoded: equal bytes give the identical object, so
 * routes share it and comparing two sets is `===`. Bounded: a full table starts over, which costs only
 * sharing.
 */

import type { PathAttributes } from "./types.ts";

const MAXIMUM_SETS = 262_144;
/** A peer may send large sets, none twice: what they take is bounded too. */
const MAXIMUM_KEY_BYTES = 32 * 1024 * 1024;
/** V8 hashes longer strings by their length alone: a table of such is a list, and asking it takes as long. */
const LONGEST_KEY = 16_383;

export class AttributeTable<V extends object = PathAttributes> {
  readonly #sets = new Map<string, V>();
  #keyBytes = 0;

  get size(): number {
    return this.#sets.size;
  }

  get(key: string): V | undefined {
    return this.#sets.get(key);
  }

  add(key: string, set: V): V {
    if (key.length > LONGEST_KEY) return set;
    this.#keyBytes += key.length;
    if (this.#sets.size >= MAXIMUM_SETS || this.#keyBytes > MAXIMUM_KEY_BYTES) {
      this.#sets.clear();
      this.#keyBytes = key.length;
    }
    this.#sets.set(key, set);
    return set;
  }
}
