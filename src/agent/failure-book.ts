/**
 * What is refused, from pass to pass: since when, how often it was tried, and when to try again. Objects of one
 * class are retried together, each class at its own pace: a device that races with its removal is there again
 * at once, a missing program is not.
 */

import { Backoff } from "../lib/index.ts";

export interface Refused {
  /** As an operator names it; its class is in its words: `route 10.244.2.0/26`, `device tunl0`. */
  readonly object: string;
  readonly message: string;
}

/** First and longest delay of each class. */
const PACES = {
  device: [100, 5_000],
  route: [200, 10_000],
  address: [200, 10_000],
  neighbour: [200, 10_000],
  firewall: [500, 30_000],
  sysctl: [1_000, 30_000],
  other: [200, 10_000],
} as const satisfies Record<string, readonly [number, number]>;

export type ObjectClass = keyof typeof PACES;

/** By word, since objects are named for people: `IPv6 firewall`, `fdb 66:… dev vxlan.calico`. */
export function classOf(object: string): ObjectClass {
  const [first = "", second = ""] = object.split(" ");
  if (first === "fdb" || first === "neighbours") return "neighbour";
  for (const word of [first, second]) if (Object.hasOwn(PACES, word)) return word as ObjectClass;
  return "other";
}

interface Entry {
  message: string;
  readonly sinceMs: number;
  attempts: number;
}

interface Retry {
  readonly backoff: Backoff;
  dueMs: number;
}

export class FailureBook {
  readonly #entries = new Map<string, Entry>();
  readonly #retries = new Map<ObjectClass, Retry>();
  readonly #random: (() => number) | undefined;

  /** `random` for the jitter; `Math.random` unless told. */
  constructor(random?: () => number) {
    this.#random = random;
  }

  /** Takes in the refusals of a pass that has just ended: who is not among them has recovered. */
  update(
    refused: readonly Refused[],
    now: { readonly wallMs: number; readonly monotonicMs: number },
  ) {
    const present = new Map(refused.map(({ object, message }) => [object, message]));
    for (const object of this.#entries.keys()) {
      if (!present.has(object)) this.#entries.delete(object);
    }
    for (const [object, message] of present) {
      const entry = this.#entries.get(object);
      if (entry === undefined) {
        this.#entries.set(object, { message, sinceMs: now.wallMs, attempts: 1 });
      } else {
        entry.message = message;
        entry.attempts++;
      }
    }
    this.#schedule(new Set([...present.keys()].map(classOf)), now.monotonicMs);
  }

  #schedule(failing: ReadonlySet<ObjectClass>, nowMs: number): void {
    for (const name of this.#retries.keys()) if (!failing.has(name)) this.#retries.delete(name);
    for (const name of failing) {
      const retry = this.#retries.get(name);
      // A pass that came early, for another reason, does not make the wait longer.
      if (retry !== undefined && nowMs < retry.dueMs) continue;
      const [initialMs, maximumMs] = PACES[name];
      const random = this.#random === undefined ? {} : { random: this.#random };
      const backoff = retry?.backoff ?? new Backoff({ initialMs, maximumMs, ...random });
      this.#retries.set(name, { backoff, dueMs: nowMs + backoff.next() });
    }
  }

  /** Monotonic time of the next attempt; undefined when nothing is refused. */
  get dueMs(): number | undefined {
    if (this.#retries.size === 0) return undefined;
    return Math.min(...[...this.#retries.values()].map(({ dueMs }) => dueMs));
  }

  /** A line each, oldest first. */
  lines(): string[] {
    const entries = [...this.#entries].sort(([, a], [, b]) => a.sinceMs - b.sinceMs);
    return entries.map(([object, { message, sinceMs, attempts }]) => {
      const since = new Date(sinceMs).toISOString();
      const tried = attempts === 1 ? "tried once" : `tried ${attempts} times`;
      return `${object}: ${message} (since ${since}, ${tried})`;
    });
  }
}
