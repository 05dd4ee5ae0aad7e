/** Counts at a receiving peer which prefixes it holds as they should be in the end. Pure. */

import type { Wanted } from "./bgp-routes.ts";

const NONE = 0;
const HELD = 1;
const RIGHT = 2;

export class Tally {
  /** By number of the prefix. */
  readonly #state: Uint8Array;
  #wanted: Wanted | undefined;
  #held = 0;
  #right = 0;
  /** Of `wanted` that is fewer: so many are to be held. */
  #left = 0;

  constructor(prefixes: number) {
    this.#state = new Uint8Array(prefixes);
  }

  /** Begins a step: what is held stays, whether it is right is to be seen. */
  expect(wanted: Wanted | undefined): void {
    this.#wanted = wanted;
    this.#right = 0;
    for (let i = 0; i < this.#state.length; i++)
      if (this.#state[i] === RIGHT) this.#state[i] = HELD;
    this.#left = wanted?.kind === "fewer" ? this.#held - wanted.count : 0;
  }

  /** The session has ended: nothing is held. */
  clear(): void {
    this.#state.fill(NONE);
    this.#held = 0;
    this.#right = 0;
  }

  get done(): boolean {
    if (this.#wanted === undefined) return true;
    if (this.#wanted.kind === "fewer") return this.#held === this.#left;
    return this.#right === this.#wanted.count;
  }

  get words(): string {
    if (this.#wanted?.kind === "fewer") return `${this.#held} held, to be ${this.#left}`;
    return `${this.#held} held, ${this.#right} of ${this.#wanted?.count ?? 0} right`;
  }

  announced(index: number, asPath: readonly number[]): void {
    const right = this.#wanted?.kind === "told" && this.#wanted.right(index, asPath);
    this.#set(index, right ? RIGHT : HELD);
  }

  withdrawn(index: number): void {
    this.#set(index, NONE);
  }

  #set(index: number, state: number): void {
    const before = this.#state[index];
    if (before === undefined) throw new RangeError(`prefix ${index} was never announced`);
    if (before === state) return;
    if (before === NONE) this.#held++;
    if (before === RIGHT) this.#right--;
    if (state === NONE) this.#held--;
    if (state === RIGHT) this.#right++;
    this.#state[index] = state;
  }
}
