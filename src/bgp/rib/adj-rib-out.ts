/**
 * Adj-RIB-out of one session: what the peer has been told, and what may have to be told. A prefix that
 * changes while it waits is told once, as it is then; prefixes with equal attributes share messages.
 */

import type { AddressFamily } from "../types.ts";
import { encodeAnnounce, encodeWithdraw, familyOfKey, type PrefixKey } from "../wire/index.ts";
import type { OutgoingAttributes } from "./export-target.ts";
import { PrefixMap, PrefixQueue } from "./prefix-map.ts";

export interface AdjRibOutOptions {
  /** Families of the session; prefixes of others are left out. */
  readonly families: readonly AddressFamily[];
  readonly maximumBytes: number;
  /** What the peer is to be told of a prefix now; `undefined`: nothing, or that it is gone. */
  readonly wanted: (key: PrefixKey) => OutgoingAttributes | undefined;
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
  has(key: PrefixKey): boolean;
  keys(): Iterable<PrefixKey>;
  /** What the peer was last told of a prefix. */
  sent(key: PrefixKey): readonly SentPath[];
  /** The route to this prefix may have changed. */
  touch(key: PrefixKey): void;
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

  has(key: PrefixKey): boolean {
    return this.#sent.has(key);
  }

  keys(): Iterable<PrefixKey> {
    return this.#sent.keys();
  }

  sent(key: PrefixKey): readonly SentPath[] {
    const sent = this.#sent.get(key);
    const attributes = sent === forgotten ? this.#options.wanted(key) : sent;
    return attributes === undefined ? [] : [{ attributes }];
  }

  touch(key: PrefixKey): void {
    if (this.#options.families.includes(familyOfKey(key))) this.#pending.add(key);
  }

  forget(family: AddressFamily): void {
    for (const key of this.#sent.keys()) {
      if (familyOfKey(key) !== family) continue;
      this.#sent.set(key, forgotten);
      this.#pending.add(key);
    }
  }

  take(count: number): Uint8Array[] {
    const { families } = this.#options;
    const changes = families.map((family): Changes => ({ family, gone: [], told: new Map() }));
    let room = MOST_TAKEN_BYTES;
    for (const key of this.#pending) {
      if (count-- === 0 || room <= 0) break;
      this.#pending.delete(key);
      const wanted = this.#fitting(this.#options.wanted(key));
      const sent = this.#sent.get(key);
      if (wanted === sent) continue;
      const { gone, told } = changes[families.indexOf(familyOfKey(key))]!;
      if (wanted === undefined) {
        this.#sent.delete(key);
        gone.push(key);
        continue;
      }
      this.#sent.set(key, wanted);
      const group = told.get(wanted);
      if (group) {
        group.push(key);
        continue;
      }
      told.set(wanted, [key]);
      room -= wanted.bytes.length;
    }
    return changes.flatMap((each) => this.#encode(each));
  }

  #fitting(wanted: OutgoingAttributes | undefined): OutgoingAttributes | undefined {
    if (wanted === undefined) return undefined;
    return fitsMessage(wanted, this.#options.maximumBytes) ? wanted : undefined;
  }

  #encode({ family, gone, told }: Changes): Uint8Array[] {
    const { maximumBytes } = this.#options;
    const messages = gone.length > 0 ? encodeWithdraw({ family, keys: gone, maximumBytes }) : [];
    for (const [{ bytes: attributes, nextHop }, keys] of told) {
      messages.push(...encodeAnnounce({ family, attributes, nextHop, keys, maximumBytes }));
    }
    return messages;
  }
}

/** What is to be told of one family. */
interface Changes {
  readonly family: AddressFamily;
  readonly gone: PrefixKey[];
  readonly told: Map<OutgoingAttributes, PrefixKey[]>;
}
