/** How long the event loop was kept from its work: a ticker of its own, as a keepalive timer would see it. */

export class LoopWatch {
  #longestMs = 0;
  #last = performance.now();
  readonly #ticker: NodeJS.Timeout;

  constructor() {
    this.#ticker = setInterval(() => {
      const now = performance.now();
      this.#longestMs = Math.max(this.#longestMs, now - this.#last - 1);
      this.#last = now;
    }, 1);
  }

  /** The longest time beyond the tick's own millisecond since the last call. */
  takeLongestMs(): number {
    // What has just ended counts, though the ticker did not see its end yet.
    const longestMs = Math.max(this.#longestMs, performance.now() - this.#last - 1);
    this.#longestMs = 0;
    this.#last = performance.now();
    return longestMs;
  }

  stop(): void {
    clearInterval(this.#ticker);
  }
}
