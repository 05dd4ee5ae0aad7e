/** Retry delays as a value: exponential, with a ceiling and jitter, and without any timer of its own. */

export interface BackoffOptions {
  /** First delay. */
  readonly initialMs: number;
  /** No delay is longer than this, jitter included. */
  readonly maximumMs: number;
  /** Growth per attempt; 2 unless told. */
  readonly factor?: number;
  /** Share of a delay that is random, 0..1; 0.2 unless told. */
  readonly jitter?: number;
  /** Source of randomness in [0,1); `Math.random` unless told. */
  readonly random?: () => number;
}

export class Backoff {
  readonly #options: Required<BackoffOptions>;
  #attempts = 0;

  constructor(options: BackoffOptions) {
    this.#options = { factor: 2, jitter: 0.2, random: Math.random, ...options };
  }

  /** Attempts that failed since the last {@link reset}. */
  get attempts(): number {
    return this.#attempts;
  }

  /** The delay before the next attempt, in milliseconds. */
  next(): number {
    const { initialMs, maximumMs, factor, jitter, random } = this.#options;
    const base = Math.min(maximumMs, initialMs * factor ** this.#attempts++);
    return base * (1 - jitter) + base * jitter * random();
  }

  /** Call on success. */
  reset(): void {
    this.#attempts = 0;
  }
}
