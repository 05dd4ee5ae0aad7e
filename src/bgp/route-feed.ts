/** Tells listeners what changed in the Loc-RIB: many changes per call, none twice, in slices. */

import { learnedRoute, nextHopsOf } from "./learned-route.ts";
import { type LocRib, type PrefixNumber, PrefixQueue, prefixIndex } from "./rib/index.ts";
import type { Slices } from "./slices.ts";
import type { LearnedRoute, RouteChange } from "./types.ts";
import { prefixOfKey } from "./wire/index.ts";

const BATCH_ROUTES = 1000;
const MOST_WAITING = 8000;
/** A change may be of concern to a thousand peers. */
const LOOK_EVERY = 16;

export type RouteListener = (changes: readonly RouteChange[]) => void;

export class RouteFeed {
  readonly #slices: Slices;
  readonly #rib: LocRib;
  readonly #onChanged: (number: PrefixNumber) => void;
  readonly #onOtherChanged: (number: PrefixNumber) => void;
  readonly #listeners = new Set<RouteListener>();
  readonly #changed = new PrefixQueue();
  readonly #otherChanged = new PrefixQueue();
  readonly #job = () => this.#flush();

  constructor(options: {
    readonly slices: Slices;
    readonly rib: LocRib;
    /** Called for each change whether or not anybody listens. */
    readonly onChanged: (number: PrefixNumber) => void;
    /** The same, where only paths have changed that nobody uses. */
    readonly onOtherChanged: (number: PrefixNumber) => void;
  }) {
    this.#slices = options.slices;
    this.#rib = options.rib;
    this.#onChanged = options.onChanged;
    this.#onOtherChanged = options.onOtherChanged;
  }

  /** Whoever reads faster than routes are handed on would fill the memory with what waits. */
  get congested(): boolean {
    return this.#changed.size + this.#otherChanged.size >= MOST_WAITING;
  }

  get idle(): boolean {
    return this.#changed.size === 0;
  }

  changed(number: PrefixNumber): void {
    if (this.#changed.size === 0) this.#slices.add(this.#job);
    this.#changed.add(number);
  }

  otherChanged(number: PrefixNumber): void {
    if (this.#otherChanged.size === 0) this.#slices.add(this.#job);
    this.#otherChanged.add(number);
  }

  subscribe(listener: RouteListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  routes(): LearnedRoute[] {
    const routes: LearnedRoute[] = [];
    for (const number of this.#rib.numbers()) {
      const best = this.#usedRoute(number);
      if (best) routes.push(best);
    }
    return routes;
  }

  #usedRoute(number: PrefixNumber): LearnedRoute | undefined {
    const paths = this.#rib.used(number);
    if (paths.length === 0) return undefined;
    return { ...learnedRoute(prefixIndex.keyOf(number), paths[0]!), ...nextHopsOf(paths) };
  }

  #flush(): boolean {
    const changes: RouteChange[] = [];
    const wanted = this.#listeners.size > 0;
    let left = BATCH_ROUTES;
    while (this.#changed.size > 0 && this.#goesOn(left--)) {
      const number = this.#changed.take()!;
      this.#onChanged(number);
      if (!wanted) continue;
      changes.push({
        prefix: prefixOfKey(prefixIndex.keyOf(number)),
        best: this.#usedRoute(number),
      });
    }
    if (changes.length > 0) for (const listener of this.#listeners) listener(changes);
    if (this.#changed.size > 0) return true;
    while (this.#otherChanged.size > 0 && this.#goesOn(left--)) {
      const number = this.#otherChanged.take()!;
      this.#onOtherChanged(number);
    }
    return this.#otherChanged.size > 0;
  }

  #goesOn(left: number): boolean {
    return left > 0 && (left % LOOK_EVERY !== 0 || !this.#slices.over);
  }
}
