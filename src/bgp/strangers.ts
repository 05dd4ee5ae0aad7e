/**
 * Connections from addresses that are no peer's: closed before anything they send is looked at. The
 * first few in a second are told so, for whoever has a wrong address in a configuration; of the rest
 * there is nothing but numbers, and the last few addresses, however many come.
 */

import { type Clock, formatAddress, type IpAddress } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import type { Connection, Transport } from "./session/index.ts";
import type { RefusedConnections, SignatureFailures } from "./types.ts";
import { encodeNotification, notification } from "./wire/index.ts";

const TOLD_PER_SECOND = 10;
const LOG_EVERY_MS = 10_000;
const REMEMBERED = 8;

export class Strangers {
  readonly #clock: Clock;
  readonly #log: Log;
  #secondBeganMs = Number.NEGATIVE_INFINITY;
  #told = 0;
  #loggedAtMs = Number.NEGATIVE_INFINITY;
  #unlogged = 0;
  #total = 0;
  /** The latest last. */
  readonly #recent = new Map<IpAddress, { count: number; lastMs: number }>();

  readonly #transport: Pick<Transport, "signatureFailures">;
  readonly #signaturesBefore: SignatureFailures | undefined;

  constructor(options: {
    readonly clock: Clock;
    readonly log: Log;
    readonly transport: Pick<Transport, "signatureFailures">;
  }) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#transport = options.transport;
    this.#signaturesBefore = options.transport.signatureFailures?.();
  }

  get refused(): RefusedConnections {
    const recent = [...this.#recent].map(([address, seen]) => ({ address, ...seen }));
    const signatures = this.#signatures();
    return { total: this.#total, recent: recent.reverse(), ...(signatures && { signatures }) };
  }

  #signatures(): SignatureFailures | undefined {
    const before = this.#signaturesBefore;
    const now = this.#transport.signatureFailures?.();
    if (before === undefined || now === undefined) return undefined;
    return {
      wrong: now.wrong - before.wrong,
      missing: now.missing - before.missing,
      unexpected: now.unexpected - before.unexpected,
    };
  }

  refuse(connection: Connection): void {
    this.#note(connection);
    this.#remember(connection.remoteAddress);
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

  #remember(address: IpAddress): void {
    this.#total++;
    const count = (this.#recent.get(address)?.count ?? 0) + 1;
    this.#recent.delete(address);
    this.#recent.set(address, { count, lastMs: this.#clock.now() });
    if (this.#recent.size <= REMEMBERED) return;
    for (const oldest of this.#recent.keys()) {
      this.#recent.delete(oldest);
      return;
    }
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
