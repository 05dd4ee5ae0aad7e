/**
 * Attribute sets seen, each kept once, decoded or encoded: equal bytes give the identical object, so
 * routes share it and comparing two sets is `===`. The latest are held; those before them are known for as
 * long as a route has them, so that a network in which sets change without end fills no memory.
 */

import type { PathAttributes } from "./types.ts";

const LEAST_HELD = 16_384;
/** A peer may send large sets, none twice: what they take is bounded too. */
const MAXIMUM_HELD_BYTES = 32 * 1024 * 1024;
/** V8 hashes longer strings by their length alone: a table of such is a list, and asking it takes as long. */
const LONGEST_KEY = 16_383;

export class AttributeTable<V extends object = PathAttributes> {
  #held = new Map<string, V>();
  /** Of keys. */
  #heldBytes = 0;
  #mostHeld = LEAST_HELD;
  readonly #known = new Map<string, WeakRef<V>>();

  /** Those that nobody has any more may be counted. */
  get size(): number {
    return this.#held.size + this.#known.size;
  }

  get(key: string): V | undefined {
    return this.#held.get(key) ?? this.#recall(key);
  }

  add(key: string, set: V): V {
    if (key.length > LONGEST_KEY) return set;
    this.#heldBytes += key.length;
    if (this.#held.size >= this.#mostHeld || this.#heldBytes > MAXIMUM_HELD_BYTES) {
      this.#letGo();
      this.#heldBytes = key.length;
    }
    this.#held.set(key, set);
    return set;
  }

  #recall(key: string): V | undefined {
    const set = this.#known.get(key)?.deref();
    if (set === undefined) return undefined;
    this.#known.delete(key);
    return this.add(key, set);
  }

  /** Looks at all: so seldom that it costs little for each that was added. */
  #letGo(): void {
    for (const [key, set] of this.#known) if (set.deref() === undefined) this.#known.delete(key);
    for (const [key, set] of this.#held) this.#known.set(key, new WeakRef(set));
    this.#held = new Map();
    this.#mostHeld = Math.max(LEAST_HELD, this.#known.size >>> 1);
  }
}
