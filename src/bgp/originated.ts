/** What the speaker tells of by itself, and which prefixes a change of it concerns. */

import type { Prefix } from "../lib/index.ts";
import {
  type Origination,
  Originations,
  PrefixMap,
  type PrefixNumber,
  prefixIndex,
} from "./rib/index.ts";
import type { OriginatedChange, OriginatedRoute } from "./types.ts";
import { keyOfPrefix } from "./wire/index.ts";

export class Originated {
  readonly #routes = new PrefixMap<Origination>();
  readonly #alike = new Originations();
  readonly #touch: (number: PrefixNumber) => void;

  /** `touch` is called for each prefix of which something else is told now. */
  constructor(routes: readonly OriginatedRoute[], touch: (number: PrefixNumber) => void) {
    this.#touch = touch;
    for (const route of routes) this.#put(route);
  }

  get(number: PrefixNumber): Origination | undefined {
    return this.#routes.get(number);
  }

  numbers(): Generator<PrefixNumber, undefined> {
    return this.#routes.numbers();
  }

  /** The whole set. */
  set(routes: readonly OriginatedRoute[]): void {
    const wanted = new Set(routes.map((route) => this.#put(route)));
    for (const number of [...this.#routes.numbers()]) {
      if (!wanted.has(number)) this.#drop(number);
    }
  }

  /** At the cost of what changes. */
  change({ add, remove }: OriginatedChange): void {
    for (const prefix of remove) {
      const number = numberOf(prefix);
      if (number !== undefined) this.#drop(number);
    }
    for (const route of add) this.#put(route);
  }

  #put(route: OriginatedRoute): PrefixNumber {
    const number = prefixIndex.add(keyOfPrefix(route.prefix));
    const next = this.#alike.of(route);
    if (this.#routes.get(number) === next) return number;
    this.#routes.set(number, next);
    this.#touch(number);
    return number;
  }

  #drop(number: PrefixNumber): void {
    if (this.#routes.delete(number)) this.#touch(number);
  }
}

function numberOf(prefix: Prefix): PrefixNumber | undefined {
  return prefixIndex.find(keyOfPrefix(prefix));
}
