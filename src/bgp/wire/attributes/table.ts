/**
 * Attribute sets seen, each kept once: equal bytes give the identical object, so routes share it and
 * comparing two sets is `===`. Bounded: a full table starts over, which costs only sharing.
 */

import type { PathAttributes } from "./types.ts";

const MAXIMUM_SETS = 262_144;
/** A peer may send large sets, none twice: what they take is bounded too. */
const MAXIMUM_KEY_BYTES = 32 * 1024 * 1024;

export class AttributeTable {
  readonly #sets = new Map<string, PathAttributes>();
  #keyBytes = 0;

  get size(): number {
    return this.#sets.size;
  }

  get(key: string): PathAttributes | undefined {
    return this.#sets.get(key);
  }

  add(key: string, attributes: PathAttributes): PathAttributes {
    this.#keyBytes += key.length;
    if (this.#sets.size >= MAXIMUM_SETS || this.#keyBytes > MAXIMUM_KEY_BYTES) {
      this.#sets.clear();
      this.#keyBytes = key.length;
    }
    this.#sets.set(key, attributes);
    return attributes;
  }
}
