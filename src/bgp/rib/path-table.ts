/** Several paths to a prefix, told apart by their path identifiers (RFC 7911). One alone costs no array. */

import type { Path } from "./path.ts";
import type { PrefixNumber } from "./prefix-index.ts";
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

  get(number: PrefixNumber): readonly Path[] {
    const entry = this.#entries.get(number);
    return entry === undefined ? [] : listOf(entry);
  }

  numbers(): Iterable<PrefixNumber> {
    return this.#entries.numbers();
  }

  put(number: PrefixNumber, path: Path): void {
    const entry = this.#entries.get(number);
    const others = entry === undefined ? [] : without(entry, path.pathId);
    this.#entries.set(number, others.length === 0 ? path : [...others, path]);
    this.#size += others.length + 1 - (entry === undefined ? 0 : listOf(entry).length);
  }

  /** False: there is none. */
  delete(number: PrefixNumber, pathId: number): boolean {
    const entry = this.#entries.get(number);
    if (entry === undefined) return false;
    const before = listOf(entry);
    const after = without(entry, pathId);
    if (after.length === before.length) return false;
    this.#size--;
    if (after.length === 0) this.#entries.delete(number);
    else this.#entries.set(number, after.length === 1 ? after[0]! : after);
    return true;
  }
}

function listOf(entry: Entry): readonly Path[] {
  return Array.isArray(entry) ? entry : [entry as Path];
}

function without(entry: Entry, pathId: number): readonly Path[] {
  return listOf(entry).filter((path) => path.pathId !== pathId);
}
