/**
 * As {@link AdjRibIn}, for a peer that may tell several paths to a prefix (RFC 7911 section 3): a route is
 * known by its prefix and path identifier. A peer that restarted may have given other identifiers: what it
 * does not tell again goes with its old ones.
 */

import type { AdjRibIn, AdjRibInTable, PathChange, PathSink } from "./adj-rib-in.ts";
import type { Path } from "./path.ts";
import { PathTable } from "./path-table.ts";
import type { PrefixNumber } from "./prefix-index.ts";

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

  paths(number: PrefixNumber): readonly Path[] {
    return [...this.#fresh.get(number), ...this.#leftover.get(number)];
  }

  *numbers(): Generator<PrefixNumber> {
    yield* this.#fresh.numbers();
    for (const number of this.#leftover.numbers())
      if (this.#fresh.get(number).length === 0) yield number;
  }

  announce(number: PrefixNumber, path: Path): boolean {
    const { pathId } = path;
    const known = this.#fresh.get(number);
    if (known.length >= MAXIMUM_PATHS && known.every((one) => one.pathId !== pathId)) return false;
    this.#leftover.delete(number, pathId);
    this.#fresh.put(number, path);
    this.#sink(number, path, pathId);
    return true;
  }

  withdraw(number: PrefixNumber, pathId: number): void {
    const known = this.#fresh.delete(number, pathId);
    if (this.#leftover.delete(number, pathId) || known) this.#sink(number, undefined, pathId);
  }

  expectAgain(keep: boolean): void {
    if (!keep) while (this.sweepSome(1000));
    const [few, many] =
      this.#fresh.size < this.#leftover.size
        ? [this.#fresh, this.#leftover]
        : [this.#leftover, this.#fresh];
    for (const number of few.numbers()) for (const path of few.get(number)) many.put(number, path);
    this.#leftover = many;
    this.#fresh = new PathTable();
    this.#lost++;
  }

  sweepSome(count: number): boolean {
    for (const number of this.#leftover.numbers()) {
      for (const { pathId } of this.#leftover.get(number)) {
        if (count-- === 0) return true;
        this.#leftover.delete(number, pathId);
        this.#sink(number, undefined, pathId);
      }
    }
    return false;
  }

  *age(change: PathChange): Generator<void> {
    const table = this.#leftover;
    const lost = this.#lost;
    for (const number of table.numbers()) {
      for (const before of table.get(number)) {
        if (lost !== this.#lost) return;
        const after = change(before, number);
        if (after === undefined) table.delete(number, before.pathId);
        else table.put(number, after);
        if (after !== before) this.#sink(number, after, before.pathId);
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
      for (const number of table.numbers()) {
        if (lost !== this.#lost) return;
        for (const path of table.get(number)) this.#sink(number, path, path.pathId);
        yield;
      }
    }
  }
}
