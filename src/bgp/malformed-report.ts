/** Tells the log of malformed UPDATEs: a peer decides how many there are, and is not to decide how long the log gets. */

import { type Clock, formatPrefix } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import { hexText, MAXIMUM_MESSAGE_BYTES, prefixOfKey, type Update } from "./wire/index.ts";

const REPORT_EVERY_MS = 10_000;

export class MalformedReport {
  readonly #clock: Clock;
  /** All that were seen. */
  total = 0;
  /** Malformed UPDATEs since the last one told to the log. */
  #count = 0;
  #reportedAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** One in a while. */
  see({ treatedAsWithdraw, discarded, withdrawn, malformed }: Update, log: Log): void {
    if (treatedAsWithdraw === undefined && discarded.length === 0) return;
    this.total++;
    this.#count++;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#reportedAtMs < REPORT_EVERY_MS) return;
    this.#reportedAtMs = nowMs;
    const messages = this.#count;
    this.#count = 0;
    const message = malformed && hexText(malformed, MAXIMUM_MESSAGE_BYTES);
    if (treatedAsWithdraw === undefined) {
      log.warn({ discarded, messages, message }, "malformed attributes left out");
      return;
    }
    const prefixes = withdrawn.slice(0, 10).map((key) => formatPrefix(prefixOfKey(key)));
    log.warn(
      { reason: treatedAsWithdraw, prefixes, messages, message },
      "malformed UPDATE treated as a withdrawal (RFC 7606)",
    );
  }
}
