/** Several paths to a prefix, told apart by their path identifiers (RFC 7911). One alone costs no array. */

import type { PrefixKey } from "../wire/index.ts";
import type { Path } from "./path.ts";
import { PrefixMap } from "./prefix-map.ts";

type Entry = Path | readonly Path[];

export class PathTable {
  readonly #entries: PrefixMap<Entry>;
  #size: number;

  /** Takes over a table of single paths. */
  constructor(paths = new PrefixMap<Path>()) {
    this.#entries = paths as PrefixMap<Entry>;
    this.#size = paths.size;
  }

  /** Paths. */
  get size(): number {
    return this.#size;
  }

  get(key: PrefixKey): readonly Path[] {
    const entry = this.#entries.get(key);
    return entry === undefined ? [] : listOf(entry);
  }

  keys(): Iterable<PrefixKey> {
    return this.#entries.keys();
  }

  put(key: PrefixKey, path: Path): void {
    const entry = this.#entries.get(key);
    const others = entry === undefined ? [] : without(entry, path.pathId);
    this.#entries.set(key, others.length === 0 ? path : [...others, path]);
    this.#size += others.length + 1 - (entry === undefined ? 0 : listOf(entry).length);
  }

  /** False: there is none. */
  delete(key: PrefixKey, pathId: number): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    const before = listOf(entry);
    const after = without(entry, pathId);
    if (after.length === before.length) return false;
    this.#size--;
    if (after.length === 0) this.#entries.delete(key);
    else this.#entries.set(key, after.length === 1 ? after[0]! : after);
    return true;
  }
}

function listOf(entry: Entry): readonly Path[] {
  return Array.isArray(entry) ? entry : [entry as Path];
}

function without(entry: Entry, pathId: number): readonly Path[] {
  return listOf(entry).filter((path) => path.pathId !== pathId);
}
