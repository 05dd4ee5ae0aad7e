/**
 * Exact accounts of the probes on one path: each that was sent is answered, lost, or still on its way. Pure.
 *
 * A probe is lost when nothing of it has come `LOST_AFTER_MS` after it was sent. What had come was to be taken
 * before (`expire` says what it relies on), and time in which this process or its host did not run is given to the
 * probes that were on their way: a pause of ours is no loss of theirs.
 */

export const LOST_AFTER_MS = 1_000;

export interface PathCount {
  readonly sent: number;
  readonly answered: number;
  readonly lost: number;
  /** From the last answered probe before a loss to the first after it, by the times they were sent. */
  readonly longestGapMs: number;
  /** Lost without an answer in between, up to now. */
  readonly lostInARow: number;
}

interface OnItsWay {
  readonly sentMs: number;
  lostAtMs: number;
}

export class PathLedger {
  readonly #onTheirWay = new Map<number, OnItsWay>();
  #sent = 0;
  #answered = 0;
  #lost = 0;
  #longestGapMs = 0;
  #lostInARow = 0;
  #firstSentMs: number | undefined;
  /** When answered probes had been sent, in order: all since the oldest that may yet be lost, and one before. */
  #good: number[] = [];
  /** When lost probes had been sent after which no answered one is known. */
  #open: number[] = [];

  sent(sequence: number, atMs: number): void {
    this.#sent++;
    this.#firstSentMs ??= atMs;
    this.#onTheirWay.set(sequence, { sentMs: atMs, lostAtMs: atMs + LOST_AFTER_MS });
  }

  /** The kernel would not send it. */
  refused(atMs: number): void {
    this.#sent++;
    this.#firstSentMs ??= atMs;
    this.#lose(atMs);
  }

  /** Its round trip in milliseconds; undefined for one that is not on its way. */
  answered(sequence: number, atMs: number): number | undefined {
    const probe = this.#onTheirWay.get(sequence);
    if (!probe) return undefined;
    this.#onTheirWay.delete(sequence);
    this.#answered++;
    this.#lostInARow = 0;
    this.#noteGood(probe.sentMs);
    return Math.max(0, atMs - probe.sentMs);
  }

  /** An error came instead of an answer: it is lost now. False for one that is not on its way. */
  failed(sequence: number): boolean {
    const probe = this.#onTheirWay.get(sequence);
    if (!probe) return false;
    this.#onTheirWay.delete(sequence);
    this.#lose(probe.sentMs);
    return true;
  }

  /** Everything on its way gets so much more time. */
  excuse(pauseMs: number): void {
    for (const probe of this.#onTheirWay.values()) probe.lostAtMs += pauseMs;
  }

  /** To be called with a time before which everything that had come was taken. */
  expire(nowMs: number): void {
    for (const [sequence, probe] of this.#onTheirWay) {
      if (probe.lostAtMs > nowMs) continue;
      this.#onTheirWay.delete(sequence);
      this.#lose(probe.sentMs);
    }
  }

  /** Forgets what is on its way: nothing can be said of it. */
  abandon(): void {
    this.#sent -= this.#onTheirWay.size;
    this.#onTheirWay.clear();
  }

  /** Answers that were counted before: they are of this account after all. */
  credit(answered: number): void {
    this.#sent += answered;
    this.#answered += answered;
  }

  /** The account so far, of probes that are not on their way any more; a new one begins with those that are. */
  split(): PathCount {
    const past = { ...this.count(), sent: this.#answered + this.#lost };
    this.#sent = this.#onTheirWay.size;
    this.#answered = 0;
    this.#lost = 0;
    this.#longestGapMs = 0;
    this.#lostInARow = 0;
    this.#open = [];
    return past;
  }

  count(): PathCount {
    return {
      sent: this.#sent,
      answered: this.#answered,
      lost: this.#lost,
      longestGapMs: Math.round(Math.max(this.#longestGapMs, this.#openGapMs())),
      lostInARow: this.#lostInARow,
    };
  }

  #lose(sentMs: number): void {
    this.#lost++;
    this.#lostInARow++;
    const next = this.#good.find((goodMs) => goodMs > sentMs);
    if (next === undefined) this.#open.push(sentMs);
    else this.#longestGapMs = Math.max(this.#longestGapMs, next - this.#goodBefore(sentMs));
  }

  #noteGood(sentMs: number): void {
    for (const lostMs of this.#open) {
      if (lostMs > sentMs) continue;
      this.#longestGapMs = Math.max(this.#longestGapMs, sentMs - this.#goodBefore(lostMs));
    }
    this.#open = this.#open.filter((lostMs) => lostMs > sentMs);
    const newest = this.#good.at(-1);
    this.#good.push(sentMs);
    if (newest !== undefined && newest > sentMs) this.#good.sort((a, b) => a - b);
    const [oldest] = this.#onTheirWay.values();
    const neededMs = Math.min(oldest?.sentMs ?? sentMs, this.#open[0] ?? sentMs);
    while ((this.#good[1] ?? neededMs) < neededMs) this.#good.shift();
  }

  #goodBefore(sentMs: number): number {
    return this.#good.findLast((goodMs) => goodMs < sentMs) ?? this.#firstSentMs ?? sentMs;
  }

  /** As long as nothing has come since. */
  #openGapMs(): number {
    const last = this.#open.at(-1);
    return last === undefined ? 0 : last - this.#goodBefore(last);
  }
}
