/** Tells the log of malformed messages: a peer decides how many there are, and is not to decide how long the log gets. */

import { type Clock, formatPrefix } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import type { AddressFamily } from "./types.ts";
import { hexText, MAXIMUM_MESSAGE_BYTES, prefixOfKey, type Update } from "./wire/index.ts";

const REPORT_EVERY_MS = 10_000;

export class MalformedReport {
  readonly #clock: Clock;
  /** All UPDATEs that were seen. */
  total = 0;
  /** Messages since the last one told to the log. */
  #count = 0;
  #reportedAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** One in a while. */
  see({ treatedAsWithdraw, discarded, withdrawn, malformed }: Update, log: Log): void {
    if (treatedAsWithdraw === undefined && discarded.length === 0) return;
    this.total++;
    const messages = this.#due();
    if (messages === 0) return;
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

  /** A ROUTE-REFRESH that is ignored is told (RFC 7313 sections 4 and 5). */
  seeRefresh(family: AddressFamily, why: string, log: Log): void {
    const messages = this.#due();
    if (messages > 0) log.warn({ family, messages }, `ROUTE-REFRESH ${why} ignored`);
  }

  /** How many messages to tell of now; 0: not yet. */
  #due(): number {
    this.#count++;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#reportedAtMs < REPORT_EVERY_MS) return 0;
    this.#reportedAtMs = nowMs;
    const messages = this.#count;
    this.#count = 0;
    return messages;
  }
}
