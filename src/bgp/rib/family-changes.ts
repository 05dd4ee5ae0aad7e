/** What is to be told of one family in one go: prefixes with equal attributes share messages. */

import type { AddressFamily } from "../types.ts";
import type { PrefixKey } from "../wire/index.ts";
import type { OutgoingAttributes } from "./export-target.ts";
import type { SharedUpdates } from "./shared-updates.ts";

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

  messages(maximumBytes: number, updates: SharedUpdates): Uint8Array[] {
    const options = { family: this.#family, maximumBytes };
    const messages: Uint8Array[] = [];
    if (this.#withdrawn.keys.length > 0) {
      for (const message of updates.withdraw(this.#withdrawn, options)) messages.push(message);
    }
    for (const [attributes, group] of this.#announced) {
      for (const message of updates.announce(attributes, group, options)) messages.push(message);
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
