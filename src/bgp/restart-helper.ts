/**
 * A peer's routes outlive its TCP connection (RFC 4724 section 4.2): they stay until the peer has told them
 * again (End-of-RIB), says that it did not keep forwarding, or does not come back in time. Where RFC 9494
 * was agreed on they then stay for longer, as the least preferred ones, each family for its own time. An
 * enhanced route refresh (RFC 7313) sweeps in the same way what is not told again.
 */

import type { Clock } from "../lib/index.ts";
import type { AdjRibInTable, Path } from "./rib/index.ts";
import { Deadline, type Negotiated } from "./session/index.ts";
import type { Slices } from "./slices.ts";
import type { AddressFamily } from "./types.ts";

/** Once the peer is back: its time to send End-of-RIB (FRR's stalepath-time). */
const STALE_PATH_MS = 360_000;
const SWEEP_COUNT = 500;

export interface RestartHelperOptions {
  readonly clock: Clock;
  readonly slices: Slices;
  readonly tables: ReadonlyMap<AddressFamily, AdjRibInTable>;
  /** A path as it is kept for longer; `undefined`: it is not. */
  readonly age: (path: Path) => Path | undefined;
  /** For how long routes are kept for longer (RFC 9494) at most; 0: not at all. */
  readonly maximumStaleSeconds: () => number;
  /** `waiting` or `longLived` has changed. */
  readonly onChange: () => void;
}

export class RestartHelper {
  readonly #options: RestartHelperOptions;
  /** Of RFC 4724, for all families. */
  readonly #deadline: Deadline;
  /** Of RFC 9494: runs from when a family's routes are kept for longer until they are told again. */
  readonly #longLived = new Map<AddressFamily, Deadline>();
  #negotiated: Negotiated | undefined;
  #waiting = false;

  constructor(options: RestartHelperOptions) {
    this.#options = options;
    this.#deadline = new Deadline(options.clock, () => this.#end());
  }

  /** Routes are kept for a peer that is away. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** Routes are kept for longer than that. */
  get longLived(): boolean {
    for (const deadline of this.#longLived.values()) if (deadline.running) return true;
    return false;
  }

  /** `restartable`: the session ended in a way after which routes may be kept. */
  onDown(restartable: boolean): void {
    if (!restartable) this.#negotiated = undefined;
    const waitSeconds = this.#negotiated?.gracefulRestart?.restartTimeSeconds ?? 0;
    this.#waiting = false;
    for (const [family, table] of this.#options.tables) {
      const seconds = this.#staleSeconds(family);
      table.expectAgain(seconds > 0 && this.#isLongLived(family));
      if (waitSeconds > 0 && this.#negotiated?.gracefulRestart?.families.includes(family)) {
        this.#waiting ||= table.leftovers > 0;
      } else {
        this.#keepLonger(family, table);
      }
    }
    if (this.#waiting) this.#deadline.start(waitSeconds * 1000);
    else this.#deadline.stop();
  }

  /** What is kept for a peer that is away is not worth keeping any more. */
  giveUp(): void {
    if (!this.#waiting && !this.longLived) return;
    this.#waiting = false;
    this.#deadline.stop();
    this.dropAll();
    this.#options.onChange();
  }

  onEstablished(negotiated: Negotiated): void {
    this.#negotiated = negotiated;
    this.#waiting = false;
    let kept = false;
    for (const [family, table] of this.#options.tables) {
      const longLived = this.#isLongLived(family);
      // Without the F bit, or without the family, all goes at once: RFC 4724 and RFC 9494 section 4.2.
      if (!forwards(negotiated, family, longLived)) this.#drop(family, table);
      else if (!longLived) kept ||= table.leftovers > 0;
    }
    if (kept) this.#deadline.start(STALE_PATH_MS);
    else this.#deadline.stop();
  }

  /** RFC 7313 section 4: all is told again, and what was not by the end goes; nor is the end waited for long. */
  onRefreshBegin(family: AddressFamily): void {
    this.#options.tables.get(family)?.expectAgain(false);
    this.#deadline.start(STALE_PATH_MS);
  }

  onEndOfRib(family: AddressFamily): void {
    const table = this.#options.tables.get(family);
    if (table) this.#drop(family, table);
  }

  dropAll(): void {
    for (const [family, table] of this.#options.tables) this.#drop(family, table);
  }

  stop(): void {
    this.#deadline.stop();
    for (const deadline of this.#longLived.values()) deadline.stop();
  }

  /** The peer did not come back in time, or came back and did not end its telling. */
  #end(): void {
    const away = this.#waiting;
    this.#waiting = false;
    for (const [family, table] of this.#options.tables) {
      if (away) this.#keepLonger(family, table);
      else if (!this.#isLongLived(family)) this.#drop(family, table);
    }
    this.#options.onChange();
  }

  /** RFC 9494 section 4.2. A time that runs already is not begun again before all was told again. */
  #keepLonger(family: AddressFamily, table: AdjRibInTable): void {
    const seconds = this.#staleSeconds(family);
    if (seconds === 0 || table.leftovers === 0) {
      this.#drop(family, table);
      return;
    }
    let deadline = this.#longLived.get(family);
    if (deadline === undefined) {
      deadline = new Deadline(this.#options.clock, () => {
        this.#drop(family, table);
        this.#options.onChange();
      });
      this.#longLived.set(family, deadline);
    }
    if (!deadline.running) deadline.start(seconds * 1000);
    const aging = table.age(this.#options.age);
    this.#options.slices.add(() => {
      for (let left = SWEEP_COUNT; left > 0; left--) if (aging.next().done) return false;
      return true;
    });
  }

  #staleSeconds(family: AddressFamily): number {
    const told = this.#negotiated?.longLivedRestart?.find((entry) => entry.family === family);
    return Math.min(told?.staleTimeSeconds ?? 0, this.#options.maximumStaleSeconds());
  }

  #isLongLived(family: AddressFamily): boolean {
    return this.#longLived.get(family)?.running ?? false;
  }

  #drop(family: AddressFamily, table: AdjRibInTable): void {
    this.#longLived.get(family)?.stop();
    if (table.leftovers > 0) this.#options.slices.add(() => table.sweepSome(SWEEP_COUNT));
  }
}

function forwards(negotiated: Negotiated, family: AddressFamily, longLived: boolean): boolean {
  const { gracefulRestart, longLivedRestart = [] } = negotiated;
  if (!longLived) return gracefulRestart?.forwarding.includes(family) ?? false;
  return longLivedRestart.some((entry) => entry.family === family && entry.forwarding);
}
