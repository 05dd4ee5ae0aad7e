/**
 * Time as a thing one is handed. Nothing outside this file calls `Date.now`, `setTimeout` or
 * `setInterval`, so that every timing rule of the product can be tested without waiting for it.
 */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since the Unix epoch; for timestamps people read. */
  now(): number;
  /** Milliseconds that never run backwards; for durations and deadlines. */
  monotonicMs(): number;
  /** Calls `callback` once after `delayMs`. A pending timer does not keep the process alive if `unref`. */
  schedule(delayMs: number, callback: () => void, options?: { unref?: boolean }): Timer;
}

/** Resolves after `delayMs`. @throws the signal's reason when aborted first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.schedule(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** A signal that aborts after `delayMs`; it does not keep the process alive. */
export function deadline(clock: Clock, delayMs: number): AbortSignal {
  const controller = new AbortController();
  clock.schedule(delayMs, () => controller.abort(new Error(`no answer within ${delayMs} ms`)), {
    unref: true,
  });
  return controller.signal;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule(delayMs, callback, options) {
    // A timer takes a millisecond at least, in which work that is cut into slices would stand still.
    if (delayMs <= 0) {
      const handle = setImmediate(callback);
      if (options?.unref) handle.unref();
      return { cancel: () => clearImmediate(handle) };
    }
    const handle = setTimeout(callback, delayMs);
    if (options?.unref) handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

interface PendingTimer {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is told to move. */
export class FakeClock implements Clock {
  #nowMs: number;
  #order = 0;
  readonly #pending = new Set<PendingTimer>();

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, callback: () => void): Timer {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#pending.add(timer);
    return { cancel: () => this.#pending.delete(timer) };
  }

  /** Number of timers not yet due; a leak shows here. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Moves time forward, firing due timers in order; lets promises settle between them. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      await settle();
      let next: PendingTimer | undefined;
      for (const timer of this.#pending) {
        if (timer.dueMs > untilMs) continue;
        if (
          !next ||
          timer.dueMs < next.dueMs ||
          (timer.dueMs === next.dueMs && timer.order < next.order)
        ) {
          next = timer;
        }
      }
      if (!next) break;
      this.#pending.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.callback();
    }
    this.#nowMs = untilMs;
    await settle();
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}
