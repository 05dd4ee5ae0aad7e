/**
 * As {@link AdjRibOut}, for a session in which a family is told of several paths to a prefix (RFC 7911).
 * A path keeps its identifier for as long as the peer holds it, whatever becomes of its attributes; the
 * identifiers of a prefix are the lowest that are free, so that no table of them is needed.
 */

import type { AddressFamily } from "../types.ts";
import { encodeAnnounce, encodeWithdraw, familyOfKey, type PrefixKey } from "../wire/index.ts";
import {
  type AdjRibOutTable,
  fitsMessage,
  forgotten,
  MOST_TAKEN_BYTES,
  type SentPath,
} from "./adj-rib-out.ts";
import type { OutgoingAttributes } from "./export-target.ts";
import { PrefixMap, PrefixQueue } from "./prefix-map.ts";

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
  readonly wanted: (key: PrefixKey) => readonly WantedPath[];
}

interface Group {
  readonly keys: PrefixKey[];
  readonly ids: number[];
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

  has(key: PrefixKey): boolean {
    return this.#held.has(key);
  }

  keys(): Iterable<PrefixKey> {
    return this.#held.keys();
  }

  sent(key: PrefixKey): readonly SentPath[] {
    const held = this.#held.get(key) ?? [];
    const again = held.some(({ attributes }) => attributes === forgotten);
    const paths = again ? assign(held, this.#options.wanted(key)) : held;
    if (this.#options.addPath.includes(familyOfKey(key))) return paths;
    return paths.map(({ attributes }) => ({ attributes }));
  }

  touch(key: PrefixKey): void {
    if (this.#options.families.includes(familyOfKey(key))) this.#pending.add(key);
  }

  forget(family: AddressFamily): void {
    for (const key of this.#held.keys()) {
      if (familyOfKey(key) !== family) continue;
      const held = this.#held.get(key)!;
      this.#held.set(
        key,
        held.map((path) => ({ ...path, attributes: forgotten })),
      );
      this.#pending.add(key);
    }
  }

  take(count: number): Uint8Array[] {
    const changes = this.#options.families.map((family) => new FamilyChanges(family));
    for (const key of this.#pending) {
      if (count <= 0 || changes.some(({ bytes }) => bytes >= MOST_TAKEN_BYTES)) break;
      this.#pending.delete(key);
      const mine = changes.find(({ family }) => family === familyOfKey(key));
      if (mine) count -= Math.max(1, this.#settle(key, mine));
    }
    return changes.flatMap((mine) => mine.messages(this.#options));
  }

  /** How many paths it looked at. */
  #settle(key: PrefixKey, changes: FamilyChanges): number {
    const before = this.#held.get(key) ?? [];
    const { maximumBytes } = this.#options;
    const wanted = this.#options
      .wanted(key)
      .filter(({ attributes }) => fitsMessage(attributes, maximumBytes));
    const after = assign(before, wanted);
    for (const { id } of before) {
      if (after.every((path) => path.id !== id)) changes.withdraw(key, id);
    }
    for (const { id, attributes } of after) {
      const known = before.some((path) => path.id === id && path.attributes === attributes);
      if (!known) changes.announce({ key, id, attributes });
    }
    this.#size += after.length - before.length;
    if (after.length === 0) this.#held.delete(key);
    else this.#held.set(key, after);
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

class FamilyChanges {
  readonly family: AddressFamily;
  /** Of attributes. */
  bytes = 0;
  readonly #withdrawn: Group = { keys: [], ids: [] };
  readonly #announced = new Map<OutgoingAttributes, Group>();

  constructor(family: AddressFamily) {
    this.family = family;
  }

  withdraw(key: PrefixKey, id: number): void {
    this.#withdrawn.keys.push(key);
    this.#withdrawn.ids.push(id);
  }

  announce({
    key,
    id,
    attributes,
  }: {
    key: PrefixKey;
    id: number;
    attributes: OutgoingAttributes;
  }) {
    let group = this.#announced.get(attributes);
    if (group === undefined) {
      group = { keys: [], ids: [] };
      this.#announced.set(attributes, group);
      this.bytes += attributes.bytes.length;
    }
    group.keys.push(key);
    group.ids.push(id);
  }

  messages({ addPath, maximumBytes }: AdjRibOutPathsOptions): Uint8Array[] {
    const { family } = this;
    const nlri = ({ keys, ids }: Group) => (addPath.includes(family) ? { keys, ids } : { keys });
    const { keys } = this.#withdrawn;
    const gone = keys.length === 0 ? [] : [{ family, maximumBytes, ...nlri(this.#withdrawn) }];
    const messages = gone.flatMap(encodeWithdraw);
    for (const [{ bytes: attributes, nextHop }, group] of this.#announced) {
      const options = { family, attributes, nextHop, maximumBytes, ...nlri(group) };
      messages.push(...encodeAnnounce(options));
    }
    return messages;
  }
}
