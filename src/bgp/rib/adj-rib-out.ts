/**
 * Adj-RIB-out of one session: what the peer has been told, and what may have to be told. A prefix that
 * changes while it waits is told once, as it is then; prefixes with equal attributes share messages.
 */

import type { AddressFamily } from "../types.ts";
import { familyOfKey } from "../wire/index.ts";
import type { OutgoingAttributes } from "./export-target.ts";
import { FamilyChanges } from "./family-changes.ts";
import { type PrefixNumber, prefixIndex } from "./prefix-index.ts";
import { PrefixMap } from "./prefix-map.ts";
import { PrefixQueue } from "./prefix-queue.ts";
import type { SharedUpdates } from "./shared-updates.ts";

export interface AdjRibOutOptions {
  /** Of the session; it is not asked to tell of others. */
  readonly families: readonly AddressFamily[];
  readonly maximumBytes: number;
  /** Of all peers. */
  readonly updates: SharedUpdates;
  /** What the peer is to be told of a prefix now; `undefined`: nothing, or that it is gone. */
  readonly wanted: (number: PrefixNumber) => OutgoingAttributes | undefined;
}

export interface SentPath {
  /** Path identifier (RFC 7911). */
  readonly id?: number;
  readonly attributes: OutgoingAttributes;
}

export interface AdjRibOutTable {
  /** Routes the peer holds from us. */
  readonly size: number;
  /** Prefixes that may have to be told. */
  readonly waiting: number;
  readonly idle: boolean;
  /** The peer holds a route to this prefix from us. */
  has(number: PrefixNumber): boolean;
  numbers(): Iterable<PrefixNumber>;
  /** What the peer was last told of a prefix. */
  sent(number: PrefixNumber): readonly SentPath[];
  /** The route to this prefix may have changed. */
  touch(number: PrefixNumber): void;
  /** Everything of the family is to be sent again. */
  forget(family: AddressFamily): void;
  /** Messages for up to `count` waiting prefixes; fewer where their attributes are large. */
  take(count: number): Uint8Array[];
}

/** Header, lengths, the head of MP_REACH_NLRI and one IPv6 prefix with a path identifier. */
const OVERHEAD_BYTES = 19 + 4 + 4 + 21 + 4 + 17;

/** RFC 4271 section 9.2: attributes that leave no room in a message are not advertised. */
export function fitsMessage({ bytes }: OutgoingAttributes, maximumBytes: number): boolean {
  return maximumBytes - bytes.length >= OVERHEAD_BYTES;
}

/**
 * What is taken at once is sent, whether or not the peer reads: a thousand sets of 64 KiB (RFC 8654) for each
 * of many such peers would fill the memory.
 */
export const MOST_TAKEN_BYTES = 256 * 1024;

/** Stands in for attributes that the peer is to be told again (RFC 2918). */
export const forgotten: OutgoingAttributes = { bytes: new Uint8Array(0), nextHop: 0 as never };

/** One path to a prefix: where no family has path identifiers. */
export class AdjRibOut implements AdjRibOutTable {
  readonly #options: AdjRibOutOptions;
  readonly #sent = new PrefixMap<OutgoingAttributes>();
  readonly #pending = new PrefixQueue();

  constructor(options: AdjRibOutOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#sent.size;
  }

  get waiting(): number {
    return this.#pending.size;
  }

  get idle(): boolean {
    return this.#pending.size === 0;
  }

  has(number: PrefixNumber): boolean {
    return this.#sent.has(number);
  }

  numbers(): Iterable<PrefixNumber> {
    return this.#sent.numbers();
  }

  sent(number: PrefixNumber): readonly SentPath[] {
    const sent = this.#sent.get(number);
    const attributes = sent === forgotten ? this.#options.wanted(number) : sent;
    return attributes === undefined ? [] : [{ attributes }];
  }

  touch(number: PrefixNumber): void {
    this.#pending.add(number);
  }

  forget(family: AddressFamily): void {
    for (const number of this.#sent.numbers()) {
      if (prefixIndex.familyOf(number) !== family) continue;
      this.#sent.set(number, forgotten);
      this.#pending.add(number);
    }
  }

  take(count: number): Uint8Array[] {
    const { families, maximumBytes, updates } = this.#options;
    const changes = families.map((family) => new FamilyChanges(family, false));
    for (; count > 0; count--) {
      const number = this.#pending.take();
      if (number === undefined) break;
      const wanted = this.#fitting(this.#options.wanted(number));
      const sent = this.#sent.get(number);
      if (wanted === sent) continue;
      const key = prefixIndex.keyOf(number);
      const mine = changes[families.indexOf(familyOfKey(key))]!;
      if (wanted === undefined) {
        this.#sent.delete(number);
        mine.withdraw(key);
      } else {
        this.#sent.set(number, wanted);
        mine.announce(key, wanted);
        if (mine.bytes >= MOST_TAKEN_BYTES) break;
      }
    }
    return changes.flatMap((mine) => mine.messages(maximumBytes, updates));
  }

  #fitting(wanted: OutgoingAttributes | undefined): OutgoingAttributes | undefined {
    if (wanted === undefined) return undefined;
    return fitsMessage(wanted, this.#options.maximumBytes) ? wanted : undefined;
  }
}
