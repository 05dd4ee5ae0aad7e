/**
 * A peer's routes outlive its TCP connection (RFC 4724 section 4.2): they stay until the peer has told them
 * again (End-of-RIB), says that it did not keep forwarding, or does not come back in time. Where RFC 9494
 * was agreed on they then stay for longer, as the least preferred ones, each family for its own time. An
 * enhanced route refresh (RFC 7313) sweeps in the same way what is not told again.
 */

import type { Clock } from "../lib/index.ts";
import type { AdjRibInTable, Path, PathChange, Source } from "./rib/index.ts";
import { Deadline, type Negotiated } from "./session/index.ts";
import type { Slices } from "./slices.ts";
import type { AddressFamily } from "./types.ts";

const SWEEP_COUNT = 500;

export interface RestartHelperOptions {
  readonly clock: Clock;
  readonly slices: Slices;
  readonly tables: ReadonlyMap<AddressFamily, AdjRibInTable>;
  /** A path as it is kept for longer; `undefined`: it is not. */
  readonly age: PathChange;
  /** Once the peer is back: its time to tell everything again. */
  readonly stalePathSeconds: () => number;
  /** For how long routes are kept for longer (RFC 9494) at most; 0: not at all. */
  readonly maximumStaleSeconds: (family: AddressFamily) => number;
  /** `waiting` or `longLived` has changed. */
  readonly onChange: () => void;
}

export class RestartHelper {
  readonly #options: RestartHelperOptions;
  /** Of RFC 4724, for all families. */
  readonly #deadline: Deadline;
  /** How long a peer that goes again and again may leave untold what it told before (RFC 8538 section 4.1). */
  readonly #repeated: Deadline;
  /** Of RFC 9494: runs from when a family's routes are kept for longer until they are told again. */
  readonly #longLived = new Map<AddressFamily, Deadline>();
  /** Families of which that time ended while the peer was telling them again. */
  readonly #spent = new Set<AddressFamily>();
  /** What is left over is going already. */
  readonly #going = new Set<AddressFamily>();
  /** What is done to all that is left over, and is not done yet. */
  readonly #walks = new Map<AddressFamily, Generator<void>>();
  readonly #refreshing = new Set<AddressFamily>();
  #negotiated: Negotiated | undefined;
  /** The last session. */
  #source: Source | undefined;
  #established = false;
  #waiting = false;

  constructor(options: RestartHelperOptions) {
    this.#options = options;
    this.#deadline = new Deadline(options.clock, () => this.#end());
    this.#repeated = new Deadline(options.clock, () => this.#dropOlder());
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
    const { gracefulRestart } = this.#negotiated ?? {};
    const waitSeconds = gracefulRestart?.restartTimeSeconds ?? 0;
    this.#waiting = false;
    let again = false;
    for (const [family, table] of this.#options.tables) {
      const graceful = waitSeconds > 0 && gracefulRestart?.families.includes(family);
      const forLonger = this.#staleSeconds(family) > 0 && this.#isLongLived(family);
      // RFC 4724 section 4.2 has the second restart take what waits since the first; RFC 8538 does not, nor
      // is what a refresh was to confirm left from a restart.
      const gentle = this.#refreshing.has(family) || gracefulRestart?.notification === true;
      if (this.#expectAgain(family, forLonger || (graceful === true && gentle))) again = true;
      if (this.#spent.delete(family)) this.#drop(family);
      else if (graceful) this.#waiting ||= table.leftovers > 0;
      else this.#keepLonger(family);
    }
    this.#refreshing.clear();
    this.#established = false;
    if (this.#waiting) this.#deadline.start(waitSeconds * 1000);
    else this.#deadline.stop();
    if (again && this.#repeated.running) return;
    this.#repeated.start((waitSeconds + this.#options.stalePathSeconds()) * 1000);
  }

  /** What is kept for a peer that is away is not worth keeping any more. */
  giveUp(): void {
    if (!this.#waiting && !this.longLived) return;
    this.#waiting = false;
    this.#deadline.stop();
    this.dropAll();
    this.#options.onChange();
  }

  onEstablished(negotiated: Negotiated, source: Source): void {
    this.#negotiated = negotiated;
    this.#source = source;
    this.#established = true;
    this.#waiting = false;
    let kept = false;
    for (const [family, table] of this.#options.tables) {
      const longLived = this.#isLongLived(family);
      // Without the F bit, or without the family, all goes at once: RFC 4724 and RFC 9494 section 4.2.
      if (!forwards(negotiated, family, longLived)) this.#drop(family);
      else if (!longLived) kept ||= table.leftovers > 0;
    }
    if (kept) this.#startStalePath();
    else this.#deadline.stop();
  }

  /** RFC 7313 section 4: all is told again, and what was not by the end goes; nor is the end waited for long. */
  onRefreshBegin(family: AddressFamily): void {
    this.#refreshing.add(family);
    // Begun anew, the refresh is one of everything, what was still waited for included.
    this.#expectAgain(family, true);
    this.#startStalePath();
  }

  /** The end of what was not begun may be ignored: what is left over then waits for End-of-RIB. */
  onRefreshEnd(family: AddressFamily): void {
    if (this.#refreshing.delete(family)) this.#drop(family);
  }

  onEndOfRib(family: AddressFamily): void {
    this.#spent.delete(family);
    if (!this.#refreshing.has(family)) this.#drop(family);
  }

  dropAll(): void {
    for (const family of this.#options.tables.keys()) this.#drop(family);
  }

  stop(): void {
    this.#deadline.stop();
    this.#repeated.stop();
    for (const deadline of this.#longLived.values()) deadline.stop();
  }

  #startStalePath(): void {
    this.#deadline.start(this.#options.stalePathSeconds() * 1000);
  }

  /** True where something was left over of what it was to tell before. What goes already is not kept by it. */
  #expectAgain(family: AddressFamily, keep: boolean): boolean {
    const table = this.#options.tables.get(family);
    if (table === undefined) return false;
    this.#finishWalk(family);
    const going = this.#going.delete(family);
    const kept = keep && !going && table.leftovers > 0;
    table.expectAgain(kept);
    return kept;
  }

  /** Of what was kept through several restarts, the last session's own may stay. */
  #dropOlder(): void {
    for (const [family, table] of this.#options.tables) {
      if (this.#isLongLived(family) || this.#refreshing.has(family)) continue;
      const older = (path: Path) => (path.source === this.#source ? path : undefined);
      this.#walk(family, table.age(older));
    }
  }

  /** The peer did not come back in time, or came back and did not end its telling. */
  #end(): void {
    const away = this.#waiting;
    this.#waiting = false;
    for (const family of this.#options.tables.keys()) {
      if (away) this.#keepLonger(family);
      else if (!this.#isLongLived(family)) this.#drop(family);
    }
    this.#options.onChange();
  }

  /** RFC 9494 section 4.2. A time that runs already is not begun again before all was told again. */
  #keepLonger(family: AddressFamily): void {
    const table = this.#options.tables.get(family);
    const seconds = this.#staleSeconds(family);
    if (seconds === 0 || table === undefined || table.leftovers === 0) {
      this.#drop(family);
      return;
    }
    let deadline = this.#longLived.get(family);
    if (deadline === undefined) {
      deadline = new Deadline(this.#options.clock, () => {
        if (this.#established) this.#spent.add(family);
        this.#drop(family);
        this.#options.onChange();
      });
      this.#longLived.set(family, deadline);
    }
    if (!deadline.running) deadline.start(seconds * 1000);
    this.#walk(family, table.age(this.#options.age));
  }

  #walk(family: AddressFamily, work: Generator<void>): void {
    this.#finishWalk(family);
    this.#walks.set(family, work);
    this.#options.slices.add(() => {
      if (this.#walks.get(family) !== work) return false;
      for (let left = SWEEP_COUNT; left > 0; left--) {
        if (!work.next().done) continue;
        this.#walks.delete(family);
        return false;
      }
      return true;
    });
  }

  /** Before what is left over becomes something else. */
  #finishWalk(family: AddressFamily): void {
    const work = this.#walks.get(family);
    this.#walks.delete(family);
    while (work?.next().done === false);
  }

  #staleSeconds(family: AddressFamily): number {
    const told = this.#negotiated?.longLivedRestart?.find((entry) => entry.family === family);
    return Math.min(told?.staleTimeSeconds ?? 0, this.#options.maximumStaleSeconds(family));
  }

  #isLongLived(family: AddressFamily): boolean {
    return this.#longLived.get(family)?.running ?? false;
  }

  #drop(family: AddressFamily): void {
    this.#longLived.get(family)?.stop();
    if (!this.#options.tables.get(family)?.leftovers) return;
    this.#going.add(family);
    this.#options.slices.add(() => {
      // What is left over by a session that ended meanwhile is something else.
      if (!this.#going.has(family)) return false;
      if (this.#options.tables.get(family)?.sweepSome(SWEEP_COUNT)) return true;
      this.#going.delete(family);
      return false;
    });
  }
}

function forwards(negotiated: Negotiated, family: AddressFamily, longLived: boolean): boolean {
  const { gracefulRestart, longLivedRestart = [] } = negotiated;
  if (!longLived) return gracefulRestart?.forwarding.includes(family) ?? false;
  return longLivedRestart.some((entry) => entry.family === family && entry.forwarding);
}
