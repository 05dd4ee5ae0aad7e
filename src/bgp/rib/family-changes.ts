/** What is to be told of one family in one go: prefixes with equal attributes share messages. */

import type { AddressFamily } from "../types.ts";
import { encodeAnnounce, encodeWithdraw, type PrefixKey } from "../wire/index.ts";
import type { OutgoingAttributes } from "./export-target.ts";

interface Group {
  readonly keys: PrefixKey[];
  /** Path identifiers (RFC 7911), where the session has them. */
  readonly ids: number[] | undefined;
}

export class FamilyChanges {
  /** Of attributes. */
  bytes = 0;
  readonly #family: AddressFamily;
  readonly #withIds: boolean;
  readonly #withdrawn: Group;
  readonly #announced = new Map<OutgoingAttributes, Group>();
  #last: OutgoingAttributes | undefined;
  #lastGroup: Group | undefined;

  constructor(family: AddressFamily, withIds: boolean) {
    this.#family = family;
    this.#withIds = withIds;
    this.#withdrawn = this.#group();
  }

  withdraw(key: PrefixKey, id = 0): void {
    this.#withdrawn.keys.push(key);
    this.#withdrawn.ids?.push(id);
  }

  announce(key: PrefixKey, attributes: OutgoingAttributes, id = 0): void {
    // They come in the order in which they were told: many of one set after the other.
    if (attributes !== this.#last || this.#lastGroup === undefined) {
      this.#last = attributes;
      this.#lastGroup = this.#groupOf(attributes);
    }
    this.#lastGroup.keys.push(key);
    this.#lastGroup.ids?.push(id);
  }

  messages(maximumBytes: number): Uint8Array[] {
    const common = { family: this.#family, maximumBytes };
    const { keys } = this.#withdrawn;
    const messages = keys.length > 0 ? encodeWithdraw({ ...common, ...this.#withdrawn }) : [];
    for (const [{ bytes: attributes, nextHop }, group] of this.#announced) {
      messages.push(...encodeAnnounce({ ...common, attributes, nextHop, ...group }));
    }
    return messages;
  }

  #groupOf(attributes: OutgoingAttributes): Group {
    let group = this.#announced.get(attributes);
    if (group === undefined) {
      group = this.#group();
      this.#announced.set(attributes, group);
      this.bytes += attributes.bytes.length;
    }
    return group;
  }

  #group(): Group {
    return { keys: [], ids: this.#withIds ? [] : undefined };
  }
}
