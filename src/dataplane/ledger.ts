/** What one apply did: changes counted, refusals collected. A refusal of one object stops no other. */

import { errorText } from "../lib/index.ts";
import type { Failure } from "./types.ts";

export class Ledger {
  readonly failures: Failure[] = [];
  #changes = 0;

  get changes(): number {
    return this.#changes;
  }

  changed(count = 1): void {
    this.#changes += count;
  }

  fail(object: string, message: string): void {
    this.failures.push({ object, message });
  }

  add(result: { readonly changes: number; readonly failures: readonly Failure[] }): void {
    this.#changes += result.changes;
    this.failures.push(...result.failures);
  }

  /** Runs `act`, which answers how many changes it made. False if it failed. */
  async attempt(object: string, act: () => Promise<number>): Promise<boolean> {
    try {
      this.#changes += await act();
      return true;
    } catch (error) {
      this.fail(object, errorText(error));
      return false;
    }
  }
}
