/**
 * As {@link AdjRibIn}, for a peer that may tell several paths to a prefix (RFC 7911 section 3): a route is
 * known by its prefix and path identifier. A peer that restarted may have given other identifiers: what it
 * does not tell again goes with its old ones.
 */

import type { PrefixKey } from "../wire/index.ts";
import type { AdjRibIn, AdjRibInTable, PathSink } from "./adj-rib-in.ts";
import type { Path } from "./path.ts";
import { PathTable } from "./path-table.ts";

/** Each change of one costs a look at all: without a limit, a peer could make one message take minutes. */
export const MAXIMUM_PATHS = 256;

export class AdjRibInPaths implements AdjRibInTable {
  #fresh = new PathTable();
  #leftover: PathTable;
  /** As in {@link AdjRibIn}. */
  #lost = 0;
  readonly #sink: PathSink;

  /** Goes on from what a table of single paths has kept between two sessions. */
  constructor(sink: PathSink, before?: AdjRibIn) {
    this.#sink = sink;
    this.#leftover = new PathTable(before?.release());
  }

  get size(): number {
    return this.#fresh.size + this.#leftover.size;
  }

  get leftovers(): number {
    return this.#leftover.size;
  }

  paths(key: PrefixKey): readonly Path[] {
    return [...this.#fresh.get(key), ...this.#leftover.get(key)];
  }

  *keys(): Generator<PrefixKey> {
    yield* this.#fresh.keys();
    for (const key of this.#leftover.keys()) if (this.#fresh.get(key).length === 0) yield key;
  }

  announce(key: PrefixKey, path: Path): boolean {
    const { pathId } = path;
    const known = this.#fresh.get(key);
    if (known.length >= MAXIMUM_PATHS && known.every((one) => one.pathId !== pathId)) return false;
    this.#leftover.delete(key, pathId);
    this.#fresh.put(key, path);
    this.#sink(key, path, pathId);
    return true;
  }

  withdraw(key: PrefixKey, pathId: number): void {
    const known = this.#fresh.delete(key, pathId);
    if (this.#leftover.delete(key, pathId) || known) this.#sink(key, undefined, pathId);
  }

  expectAgain(keep: boolean): void {
    if (!keep) while (this.sweepSome(1000));
    const [few, many] =
      this.#fresh.size < this.#leftover.size
        ? [this.#fresh, this.#leftover]
        : [this.#leftover, this.#fresh];
    for (const key of few.keys()) for (const path of few.get(key)) many.put(key, path);
    this.#leftover = many;
    this.#fresh = new PathTable();
    this.#lost++;
  }

  sweepSome(count: number): boolean {
    for (const key of this.#leftover.keys()) {
      for (const { pathId } of this.#leftover.get(key)) {
        if (count-- === 0) return true;
        this.#leftover.delete(key, pathId);
        this.#sink(key, undefined, pathId);
      }
    }
    return false;
  }

  *age(change: (path: Path) => Path | undefined): Generator<void> {
    const table = this.#leftover;
    const lost = this.#lost;
    for (const key of table.keys()) {
      for (const before of table.get(key)) {
        if (lost !== this.#lost) return;
        const after = change(before);
        if (after === undefined) table.delete(key, before.pathId);
        else table.put(key, after);
        if (after !== before) this.#sink(key, after, before.pathId);
        yield;
      }
    }
  }

  *replay(): Generator<void> {
    for (let lost = -1; lost !== this.#lost; ) {
      lost = this.#lost;
      yield* this.#replayOnce();
    }
  }

  *#replayOnce(): Generator<void> {
    const lost = this.#lost;
    for (const table of [this.#fresh, this.#leftover]) {
      for (const key of table.keys()) {
        if (lost !== this.#lost) return;
        for (const path of table.get(key)) this.#sink(key, path, path.pathId);
        yield;
      }
    }
  }
}
