/**
 * RFC 4724 section 4.2: a peer's routes outlive its TCP connection. They stay until the peer has told
 * them again (End-of-RIB), says that it did not keep forwarding, or does not come back in time. An
 * enhanced route refresh (RFC 7313) sweeps in the same way what is not told again.
 */

import type { Clock } from "../lib/index.ts";
import type { AdjRibInTable } from "./rib/index.ts";
import { Deadline, type Negotiated } from "./session/index.ts";
import type { Slices } from "./slices.ts";
import type { AddressFamily } from "./types.ts";

/** Once the peer is back: its time to send End-of-RIB (FRR's stalepath-time). */
const STALE_PATH_MS = 360_000;
const SWEEP_COUNT = 500;

export class RestartHelper {
  readonly #slices: Slices;
  readonly #tables: ReadonlyMap<AddressFamily, AdjRibInTable>;
  readonly #onChange: () => void;
  readonly #deadline: Deadline;
  #capability: Negotiated["gracefulRestart"];
  #waiting = false;

  constructor(options: {
    readonly clock: Clock;
    readonly slices: Slices;
    readonly tables: ReadonlyMap<AddressFamily, AdjRibInTable>;
    /** `waiting` has changed. */
    readonly onChange: () => void;
  }) {
    this.#slices = options.slices;
    this.#tables = options.tables;
    this.#onChange = options.onChange;
    this.#deadline = new Deadline(options.clock, () => this.#end());
  }

  /** Routes are kept for a peer that is away. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** `restartable`: the session ended in a way after which routes may be kept. */
  onDown(restartable: boolean): void {
    const capability = restartable ? this.#capability : undefined;
    const waitSeconds = capability?.restartTimeSeconds ?? 0;
    this.#capability = undefined;
    this.#waiting = false;
    for (const [family, table] of this.#tables) {
      table.expectAgain();
      if (waitSeconds > 0 && capability?.families.includes(family)) {
        this.#waiting ||= table.leftovers > 0;
      } else {
        this.#sweep(table);
      }
    }
    if (this.#waiting) this.#deadline.start(waitSeconds * 1000);
    else this.#deadline.stop();
  }

  /** What is kept for a peer that is away is not worth keeping any more. */
  giveUp(): void {
    if (!this.#waiting) return;
    this.#deadline.stop();
    this.#end();
  }

  #end(): void {
    this.#waiting = false;
    this.dropAll();
    this.#onChange();
  }

  onEstablished(negotiated: Negotiated): void {
    this.#capability = negotiated.gracefulRestart;
    this.#waiting = false;
    let kept = false;
    for (const [family, table] of this.#tables) {
      // RFC 4724 section 4.2: without the F bit, or without the family, all goes at once.
      if (!this.#capability?.forwarding.includes(family)) this.#sweep(table);
      else kept ||= table.leftovers > 0;
    }
    if (kept) this.#deadline.start(STALE_PATH_MS);
    else this.#deadline.stop();
  }

  /** RFC 7313 section 4: all is told again, and what was not by the end goes; nor is the end waited for long. */
  onRefreshBegin(family: AddressFamily): void {
    this.#tables.get(family)?.expectAgain();
    this.#deadline.start(STALE_PATH_MS);
  }

  onEndOfRib(family: AddressFamily): void {
    const table = this.#tables.get(family);
    if (table) this.#sweep(table);
  }

  dropAll(): void {
    for (const table of this.#tables.values()) this.#sweep(table);
  }

  stop(): void {
    this.#deadline.stop();
  }

  #sweep(table: AdjRibInTable): void {
    if (table.leftovers > 0) this.#slices.add(() => table.sweepSome(SWEEP_COUNT));
  }
}
