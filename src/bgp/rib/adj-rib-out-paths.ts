/**
 * As {@link AdjRibOut}, for a session in which a family is told of several paths to a prefix (RFC 7911).
 * A path keeps its identifier for as long as the peer holds it, whatever becomes of its attributes; the
 * identifiers of a prefix are the lowest that are free, so that no table of them is needed.
 */

import type { AddressFamily } from "../types.ts";
import {
  type AdjRibOutTable,
  fitsMessage,
  forgotten,
  MOST_TAKEN_BYTES,
  type SentPath,
} from "./adj-rib-out.ts";
import type { OutgoingAttributes } from "./export-target.ts";
import { FamilyChanges } from "./family-changes.ts";
import { type PrefixNumber, prefixIndex } from "./prefix-index.ts";
import { PrefixMap } from "./prefix-map.ts";
import { PrefixQueue } from "./prefix-queue.ts";
import type { SharedUpdates } from "./shared-updates.ts";

/** A path as the peer is to be told of it, and which it is: whose, and by which identifier learned. */
export interface WantedPath {
  readonly peerId: number;
  readonly pathId: number;
  readonly attributes: OutgoingAttributes;
}

interface HeldPath extends WantedPath {
  /** Told to the peer. */
  readonly id: number;
}

export interface AdjRibOutPathsOptions {
  readonly families: readonly AddressFamily[];
  /** Of these, whose prefixes go with identifiers; of the others one path at most is wanted. */
  readonly addPath: readonly AddressFamily[];
  readonly maximumBytes: number;
  readonly updates: SharedUpdates;
  readonly wanted: (number: PrefixNumber) => readonly WantedPath[];
}

export class AdjRibOutPaths implements AdjRibOutTable {
  readonly #options: AdjRibOutPathsOptions;
  readonly #held = new PrefixMap<readonly HeldPath[]>();
  readonly #pending = new PrefixQueue();
  #size = 0;

  constructor(options: AdjRibOutPathsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  get waiting(): number {
    return this.#pending.size;
  }

  get idle(): boolean {
    return this.#pending.size === 0;
  }

  has(number: PrefixNumber): boolean {
    return this.#held.has(number);
  }

  numbers(): Iterable<PrefixNumber> {
    return this.#held.numbers();
  }

  sent(number: PrefixNumber): readonly SentPath[] {
    const held = this.#held.get(number) ?? [];
    const again = held.some(({ attributes }) => attributes === forgotten);
    const paths = again ? assign(held, this.#options.wanted(number)) : held;
    if (this.#options.addPath.includes(prefixIndex.familyOf(number))) return paths;
    return paths.map(({ attributes }) => ({ attributes }));
  }

  touch(number: PrefixNumber): void {
    this.#pending.add(number);
  }

  forget(family: AddressFamily): void {
    for (const number of this.#held.numbers()) {
      if (prefixIndex.familyOf(number) !== family) continue;
      const held = this.#held.get(number)!;
      this.#held.set(
        number,
        held.map((path) => ({ ...path, attributes: forgotten })),
      );
      this.#pending.add(number);
    }
  }

  take(count: number): Uint8Array[] {
    const { families, addPath, maximumBytes, updates } = this.#options;
    const changes = families.map((family) => new FamilyChanges(family, addPath.includes(family)));
    while (count > 0) {
      const number = this.#pending.take();
      if (number === undefined) break;
      const mine = changes[families.indexOf(prefixIndex.familyOf(number))]!;
      count -= Math.max(1, this.#settle(number, mine));
      if (mine.bytes >= MOST_TAKEN_BYTES) break;
    }
    return changes.flatMap((mine) => mine.messages(maximumBytes, updates));
  }

  /** How many paths it looked at. */
  #settle(number: PrefixNumber, changes: FamilyChanges): number {
    const before = this.#held.get(number) ?? [];
    const key = prefixIndex.keyOf(number);
    const { maximumBytes } = this.#options;
    const wanted = this.#options
      .wanted(number)
      .filter(({ attributes }) => fitsMessage(attributes, maximumBytes));
    const after = assign(before, wanted);
    for (const { id } of before) {
      if (after.every((path) => path.id !== id)) changes.withdraw(key, id);
    }
    for (const { id, attributes } of after) {
      const known = before.some((path) => path.id === id && path.attributes === attributes);
      if (!known) changes.announce(key, attributes, id);
    }
    this.#size += after.length - before.length;
    if (after.length === 0) this.#held.delete(number);
    else this.#held.set(number, after);
    return before.length + after.length;
  }
}

/** Each its identifier: what is held keeps it, what is new takes the lowest that is free, from 1. */
function assign(held: readonly HeldPath[], wanted: readonly WantedPath[]): readonly HeldPath[] {
  const same = ({ peerId, pathId }: WantedPath) =>
    held.find((other) => other.peerId === peerId && other.pathId === pathId);
  const taken = new Set(wanted.map((path) => same(path)?.id));
  let next = 1;
  return wanted.map((path) => {
    const known = same(path);
    if (known) return known.attributes === path.attributes ? known : { ...path, id: known.id };
    while (taken.has(next)) next++;
    taken.add(next);
    return { ...path, id: next };
  });
}
