/**
 * Loc-RIB: for each prefix the best of the paths the import policies let through. A prefix with one
 * path, the usual case, costs a table slot and no object.
 */

import type { PrefixKey } from "../wire/index.ts";
import { bestPath } from "./decision.ts";
import type { Path } from "./path.ts";

export class LocRib {
  /** Several paths: the best first. */
  readonly #routes = new Map<PrefixKey, Path | readonly Path[]>();

  get size(): number {
    return this.#routes.size;
  }

  keys(): IterableIterator<PrefixKey> {
    return this.#routes.keys();
  }

  best(key: PrefixKey): Path | undefined {
    const entry = this.#routes.get(key);
    return Array.isArray(entry) ? entry[0] : (entry as Path | undefined);
  }

  /** All of them, the best first, the others in no order. */
  paths(key: PrefixKey): readonly Path[] {
    const entry = this.#routes.get(key);
    if (entry === undefined) return [];
    return Array.isArray(entry) ? entry : [entry as Path];
  }

  /** Whether one of the paths comes from such a source. */
  has(key: PrefixKey, from: (source: Path["source"]) => boolean): boolean {
    const entry = this.#routes.get(key);
    if (entry === undefined) return false;
    return Array.isArray(entry)
      ? entry.some(({ source }: Path) => from(source))
      : from((entry as Path).source);
  }

  /** Replaces the peer's path to the prefix. True if what is best is another route than before. */
  update(key: PrefixKey, peerId: number, path: Path | undefined): boolean {
    const entry = this.#routes.get(key);
    if (entry === undefined) {
      if (path === undefined) return false;
      this.#routes.set(key, path);
      return true;
    }
    const paths: readonly Path[] = Array.isArray(entry) ? entry : [entry as Path];
    const before = paths[0]!;
    const others = paths.filter((other) => other.source.peerId !== peerId);
    if (path !== undefined) others.push(path);
    if (others.length === 0) {
      this.#routes.delete(key);
      return true;
    }
    const best = others.length === 1 ? others[0]! : bestPath(others);
    if (others.length === 1) this.#routes.set(key, best);
    else this.#routes.set(key, [best, ...others.filter((other) => other !== best)]);
    return !sameRoute(before, best);
  }
}

/** A peer that came back with the same route has changed nothing. */
function sameRoute(a: Path, b: Path): boolean {
  return a === b || (a.source.peer === b.source.peer && a.attributes === b.attributes);
}
