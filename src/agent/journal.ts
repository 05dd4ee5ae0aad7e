/**
 * What an operator finds in the log of a node at night: each change of what it accepts and sends, how far
 * each pool is, and each new trouble, once when it comes and once when it has gone.
 */

import type { Log } from "../lib/log/index.ts";
import type { Announcement } from "./announcer.ts";

export class Journal {
  readonly #log: Log;
  #gates = "";
  readonly #pools = new Map<string, string>();
  #troubles: ReadonlySet<string> = new Set();

  constructor(log: Log) {
    this.#log = log;
  }

  /** What the kernel holds after a pass. */
  note({ accepts, sends, pools }: Pick<Announcement, "accepts" | "sends" | "pools">): void {
    const gates = `${accepts} ${sends}`;
    if (gates !== this.#gates) this.#log.info({ accepts, sends }, "encapsulations changed");
    this.#gates = gates;
    for (const [pool, { mode, realised, waiting }] of Object.entries(pools)) {
      const stage = `${mode} ${realised}`;
      if (this.#pools.get(pool) === stage) continue;
      this.#pools.set(pool, stage);
      if (realised) this.#log.info({ pool, mode }, "pool realised");
      else this.#log.info({ pool, mode, waiting }, "pool changes");
    }
    for (const pool of this.#pools.keys()) {
      if (pool in pools) continue;
      this.#pools.delete(pool);
      this.#log.info({ pool }, "pool gone");
    }
  }

  /** Everything that is wrong now. */
  noteTroubles(troubles: Iterable<string>): void {
    const now = new Set(troubles);
    for (const trouble of now) {
      if (!this.#troubles.has(trouble)) this.#log.warn({ trouble }, "trouble");
    }
    for (const trouble of this.#troubles) {
      if (!now.has(trouble)) this.#log.info({ trouble }, "trouble over");
    }
    this.#troubles = now;
  }
}
