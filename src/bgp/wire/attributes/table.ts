/**
 * Attribute sets seen, each kept once: equal bytes give the identical object, so routes share it and
 * comparing two sets is `===`. Bounded: a full table starts over, which costs only sharing.
 */

import type { PathAttributes } from "./types.ts";

const MAXIMUM_SETS = 262_144;

export class AttributeTable {
  readonly #sets = new Map<string, PathAttributes>();

  get(key: string): PathAttributes | undefined {
    return this.#sets.get(key);
  }

  add(key: string, attributes: PathAttributes): PathAttributes {
    if (this.#sets.size >= MAXIMUM_SETS) this.#sets.clear();
    this.#sets.set(key, attributes);
    return attributes;
  }
}
