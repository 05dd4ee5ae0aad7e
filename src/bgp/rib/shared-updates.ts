/**
 * UPDATEs for all peers: those of a kind are mostly told the same, one after the other, and a message is made
 * once for as long as it is not long ago.
 */

import type { AddressFamily } from "../types.ts";
import { encodeAnnounce, encodeWithdraw, type Nlri } from "../wire/index.ts";
import type { OutgoingAttributes } from "./export-target.ts";

/** More than a peer is told in one go. */
const MOST_REMEMBERED_BYTES = 1024 * 1024;

export interface UpdateOptions {
  readonly family: AddressFamily;
  readonly maximumBytes: number;
}

interface Made extends UpdateOptions, Nlri {
  readonly messages: readonly Uint8Array[];
}

export class SharedUpdates {
  /** The last for a set of attributes; dropped all together. */
  readonly #announced = new Map<OutgoingAttributes, Made>();
  #announcedBytes = 0;
  #withdrawn: Made | undefined;

  announce(
    attributes: OutgoingAttributes,
    nlri: Nlri,
    options: UpdateOptions,
  ): readonly Uint8Array[] {
    const last = this.#announced.get(attributes);
    if (last !== undefined && isSame(last, nlri, options)) return last.messages;
    const { bytes, nextHop } = attributes;
    const messages = encodeAnnounce({ ...options, ...nlri, attributes: bytes, nextHop });
    for (const { length } of messages) this.#announcedBytes += length;
    if (this.#announcedBytes > MOST_REMEMBERED_BYTES) {
      this.#announced.clear();
      this.#announcedBytes = 0;
    }
    this.#announced.set(attributes, { ...options, ...nlri, messages });
    return messages;
  }

  withdraw(nlri: Nlri, options: UpdateOptions): readonly Uint8Array[] {
    const last = this.#withdrawn;
    if (last !== undefined && isSame(last, nlri, options)) return last.messages;
    const messages = encodeWithdraw({ ...options, ...nlri });
    this.#withdrawn = { ...options, ...nlri, messages };
    return messages;
  }
}

function isSame(made: Made, { keys, ids }: Nlri, { family, maximumBytes }: UpdateOptions): boolean {
  return (
    made.family === family &&
    made.maximumBytes === maximumBytes &&
    isEqual(made.keys, keys) &&
    (made.ids === ids || (made.ids !== undefined && ids !== undefined && isEqual(made.ids, ids)))
  );
}

function isEqual<T>(a: readonly T[], b: readonly T[]): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
