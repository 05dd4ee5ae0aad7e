/**
 * Adj-RIB-in of one peer and family, before policy. Routes are `fresh`, told in this session, or
 * `leftover`, from before: of the last session (RFC 4724) or before a refresh (RFC 7313). A leftover
 * route is replaced or confirmed by being told again, and swept when the peer has told everything.
 */

import type { Path } from "./path.ts";
import type { PrefixNumber } from "./prefix-index.ts";
import { PrefixMap } from "./prefix-map.ts";

/** Told of every change: the peer's path to a prefix, or that it has none (by this path identifier). */
export type PathSink = (number: PrefixNumber, path: Path | undefined, pathId: number) => void;

/** `undefined`: the path is to go. */
export type PathChange = (path: Path, number: PrefixNumber) => Path | undefined;

export interface AdjRibInTable {
  readonly size: number;
  readonly leftovers: number;
  /** The peer's paths to a prefix, fresh or left over. */
  paths(number: PrefixNumber): readonly Path[];
  numbers(): Iterable<PrefixNumber>;
  /** False: the peer tells of so many paths to the prefix that this one is left out. */
  announce(number: PrefixNumber, path: Path): boolean;
  withdraw(number: PrefixNumber, pathId: number): void;
  /**
   * Everything known waits to be told again. RFC 4724 section 4.2: what still waited, goes; with `keep`
   * it waits on (RFC 9494).
   */
  expectAgain(keep: boolean): void;
  /** Every leftover as `change` makes it; those that it makes nothing of go. */
  age(change: PathChange): Generator<void>;
  /** Drops up to so many leftovers; true while there are more. */
  sweepSome(count: number): boolean;
  /** Every route once more to the sink, because the policy behind it has changed. */
  replay(): Generator<void>;
}

/** One path to a prefix: of a peer that knows no path identifiers. */
export class AdjRibIn implements AdjRibInTable {
  #fresh = new PrefixMap<Path>();
  #leftover = new PrefixMap<Path>();
  /** Sessions and refreshes: what walks over the leftovers of one is over with it. */
  #lost = 0;
  readonly #sink: PathSink;

  constructor(sink: PathSink) {
    this.#sink = sink;
  }

  get size(): number {
    return this.#fresh.size + this.#leftover.size;
  }

  get leftovers(): number {
    return this.#leftover.size;
  }

  paths(number: PrefixNumber): readonly Path[] {
    const path = this.#fresh.get(number) ?? this.#leftover.get(number);
    return path === undefined ? [] : [path];
  }

  *numbers(): Generator<PrefixNumber> {
    yield* this.#fresh.numbers();
    yield* this.#leftover.numbers();
  }

  announce(number: PrefixNumber, path: Path): boolean {
    if (this.#leftover.size > 0) this.#leftover.delete(number);
    this.#fresh.set(number, path);
    this.#sink(number, path, path.pathId);
    return true;
  }

  withdraw(number: PrefixNumber): void {
    const known = this.#fresh.delete(number);
    if (this.#leftover.delete(number) || known) this.#sink(number, undefined, 0);
  }

  expectAgain(keep: boolean): void {
    if (!keep) while (this.sweepSome(1000));
    // The few go to the many: a peer that comes and goes costs what it told, not what it had told.
    const [few, many] =
      this.#fresh.size < this.#leftover.size
        ? [this.#fresh, this.#leftover]
        : [this.#leftover, this.#fresh];
    for (const number of few.numbers()) many.set(number, few.get(number)!);
    this.#leftover = many;
    this.#fresh = new PrefixMap();
    this.#lost++;
  }

  sweepSome(count: number): boolean {
    for (const number of this.#leftover.numbers()) {
      if (count-- === 0) return true;
      this.#leftover.delete(number);
      this.#sink(number, undefined, 0);
    }
    return false;
  }

  *age(change: PathChange): Generator<void> {
    const table = this.#leftover;
    const lost = this.#lost;
    for (const number of table.numbers()) {
      if (lost !== this.#lost) return;
      const before = table.get(number)!;
      const after = change(before, number);
      if (after === undefined) table.delete(number);
      else table.set(number, after);
      if (after !== before) this.#sink(number, after, before.pathId);
      yield;
    }
  }

  /** Gives away what it holds, all of it left over. */
  release(): PrefixMap<Path> {
    this.expectAgain(true);
    const held = this.#leftover;
    this.#leftover = new PrefixMap();
    return held;
  }

  /** From the beginning again where a session or refresh was lost meanwhile: tables are others then. */
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
        const path = table.get(number)!;
        this.#sink(number, path, path.pathId);
        yield;
      }
    }
  }
}
