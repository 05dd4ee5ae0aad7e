/**
 * Which paths of one peer are no candidates of the decision process: few, as a rule none. Those that came
 * back to us (our AS or identifier is in them) are counted apart: many routers tell an external peer its own
 * routes again, and that is no excess of theirs.
 */

import { type PrefixNumber, prefixIndex } from "./rib/index.ts";
import type { AddressFamily } from "./types.ts";

/** Its prefix is held for as long as the path is. */
type PathName = PrefixNumber | string;

export class RefusedPaths {
  readonly #byPolicy = new Set<PathName>();
  readonly #unusable: Readonly<Record<AddressFamily, Set<PathName>>> = {
    "ipv4-unicast": new Set(),
    "ipv6-unicast": new Set(),
  };

  get size(): number {
    const { "ipv4-unicast": four, "ipv6-unicast": six } = this.#unusable;
    return this.#byPolicy.size + four.size + six.size;
  }

  /** Those that came back. */
  unusable(family: AddressFamily): number {
    return this.#unusable[family].size;
  }

  /** `undefined`: it is a candidate, or gone. */
  note(number: PrefixNumber, pathId: number, refused: "unusable" | "policy" | undefined): void {
    if (refused === undefined && this.size === 0) return;
    const name = pathId === 0 ? number : `${number} ${pathId}`;
    const unusable = this.#unusable[prefixIndex.familyOf(number)];
    if (refused === "policy") this.#byPolicy.add(name);
    else this.#byPolicy.delete(name);
    if (refused === "unusable") unusable.add(name);
    else unusable.delete(name);
  }
}
