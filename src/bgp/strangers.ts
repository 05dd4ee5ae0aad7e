/**
 * Connections from addresses that are no peer's: closed before anything they send is looked at. The
 * first few in a second are told so, for whoever has a wrong address in a configuration; of the rest
 * there is nothing but a number in the log, however many come.
 */

import { type Clock, formatAddress } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import type { Connection } from "./session/index.ts";
import { encodeNotification, notification } from "./wire/index.ts";

const TOLD_PER_SECOND = 10;
const LOG_EVERY_MS = 10_000;

export class Strangers {
  readonly #clock: Clock;
  readonly #log: Log;
  #secondBeganMs = Number.NEGATIVE_INFINITY;
  #told = 0;
  #loggedAtMs = Number.NEGATIVE_INFINITY;
  #unlogged = 0;

  constructor(options: { readonly clock: Clock; readonly log: Log }) {
    this.#clock = options.clock;
    this.#log = options.log;
  }

  refuse(connection: Connection): void {
    this.#note(connection);
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#secondBeganMs >= 1000) {
      this.#secondBeganMs = nowMs;
      this.#told = 0;
    }
    if (this.#told >= TOLD_PER_SECOND) {
      connection.destroy();
      return;
    }
    this.#told++;
    connection.write(encodeNotification(notification("connectionRejected")));
    connection.end();
  }

  #note({ remoteAddress }: Connection): void {
    const nowMs = this.#clock.monotonicMs();
    this.#unlogged++;
    if (nowMs - this.#loggedAtMs < LOG_EVERY_MS) return;
    this.#log.warn(
      { address: formatAddress(remoteAddress), connections: this.#unlogged },
      "connections from addresses that are no peer's refused, the last from this one",
    );
    this.#loggedAtMs = nowMs;
    this.#unlogged = 0;
  }
}
