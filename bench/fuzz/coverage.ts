/** Which parts of the code under test have run, by the counters of V8. */

import { type Profiler, Session } from "node:inspector";

/** A piece of a function that has run, where it never had. */
export interface Fresh {
  readonly known: Uint8Array;
  readonly from: number;
  readonly to: number;
}

export class Coverage {
  readonly #session = new Session();
  readonly #part: string;
  /** By function: for each of its characters, whether it has run. */
  readonly #functions = new Map<string, Uint8Array>();
  #characters = 0;

  /** Of files whose URL has this in it. What is to be seen is imported after `start`. */
  constructor(part: string) {
    this.#part = part;
    this.#session.connect();
    this.#post("Profiler.enable");
    this.#post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** Characters of code that have ever run. */
  get size(): number {
    return this.#characters;
  }

  /** What ran since the last call, and was never added. */
  take(): Fresh[] {
    const { result } = this.#post(
      "Profiler.takePreciseCoverage",
    ) as Profiler.TakePreciseCoverageReturnType;
    const fresh: Fresh[] = [];
    for (const { url, functions } of result) {
      if (!url.includes(this.#part) || url.includes("/testing/")) continue;
      for (const { ranges } of functions) fresh.push(...this.#freshOf(url, ranges));
    }
    return fresh;
  }

  add(pieces: readonly Fresh[]): void {
    for (const { known, from, to } of pieces) {
      for (let at = from; at < to; at++) {
        this.#characters += 1 - known[at]!;
        known[at] = 1;
      }
    }
  }

  /** An inner range has another count than what is around it; where the counts are the same there is none. */
  #freshOf(url: string, ranges: readonly Profiler.CoverageRange[]): Fresh[] {
    const [whole] = ranges;
    if (whole === undefined || whole.count === 0) return [];
    const begin = whole.startOffset;
    const length = whole.endOffset - begin;
    const name = `${url}:${begin}-${whole.endOffset}`;
    const known = this.#functions.get(name) ?? new Uint8Array(length);
    this.#functions.set(name, known);
    const ran = new Uint8Array(length);
    for (const { startOffset, endOffset, count } of ranges) {
      ran.fill(count > 0 ? 1 : 0, startOffset - begin, endOffset - begin);
    }
    const fresh: Fresh[] = [];
    for (let at = 0; at < length; at++) {
      if (ran[at] === 0 || known[at] === 1) continue;
      const from = at;
      while (at < length && ran[at] === 1 && known[at] === 0) at++;
      fresh.push({ known, from, to: at });
    }
    return fresh;
  }

  close(): void {
    this.#session.disconnect();
  }

  #post(method: string, parameters: object = {}): unknown {
    let answer: unknown;
    // In the same thread the inspector answers before it returns.
    this.#session.post(method, parameters, (error, result) => {
      if (error) throw error;
      answer = result;
    });
    return answer;
  }
}
