/**
 * One process's candidacy for one change: holds the lease and drives, or looks now and then whether the lease is
 * still held. Who comes first is decided by a hash of change and node, and the further behind, the more seldom it
 * looks: with a thousand candidates a lease is read some ten times a second, not hundreds.
 */

import type { Datastore } from "../../datastore/index.ts";
import { type Clock, errorText, type Timer } from "../../lib/index.ts";
import type { Log } from "../../lib/log/index.ts";
import { Drive, type Judges } from "./drive.ts";
import { LeaseCandidate } from "./lease.ts";
import { type KeptCollections, Observed } from "./observed.ts";

export interface CandidateOptions {
  readonly store: Datastore;
  readonly clock: Clock;
  readonly log: Log;
  readonly kept: KeptCollections;
  readonly judges: Judges;
  readonly newKey: () => string;
  /** Of the process, and no other that is or was. */
  readonly identity: string;
  readonly leaseMs: number;
  /** How many candidates come before this one, and a fixed share of jitter, 0..1. */
  readonly standing: (change: string) => { readonly rank: number; readonly jitter: number };
  readonly change: string;
}

/** Changes that come together are looked at together. */
const DEBOUNCE_MS = 50;
/** Timers of days overflow. */
const LONGEST_WAIT_MS = 3_600_000;
const RENEWALS_PER_LEASE = 3;
/** The next in line waits that long for the one before him to begin. */
const TURN_MS = 2_000;
const LATEST_TURN_MS = 30_000;
/** Standing so far behind doubles the time between two looks. */
const RANKS_PER_LEASE = 4;
const SLOWEST_LOOK_MS = 60_000;

export class Candidate {
  readonly #options: CandidateOptions;
  readonly #lease: LeaseCandidate;
  readonly #stop = new AbortController();
  #driving:
    | { readonly observed: Observed; readonly drive: Drive; end: AbortController }
    | undefined;
  #lookTimer: Timer | undefined;
  #stepTimer: Timer | undefined;
  #stepDueMs = Number.POSITIVE_INFINITY;
  #looking: Promise<void> = Promise.resolve();
  #stepping: Promise<void> = Promise.resolve();
  /** One step behind the one that runs sees everything that has come meanwhile. */
  #stepQueued = false;

  constructor(options: CandidateOptions) {
    this.#options = options;
    const { store, clock, change: name, identity, leaseMs: durationMs } = options;
    this.#lease = new LeaseCandidate({ store, clock, name, identity, durationMs });
    const { rank, jitter } = options.standing(name);
    const turnMs = Math.min(rank * TURN_MS, LATEST_TURN_MS * (1 + jitter));
    this.#lookIn(turnMs);
  }

  /** Something that may matter has changed. */
  wake(): void {
    if (this.#driving) this.#stepIn(DEBOUNCE_MS);
  }

  /** Lets go of the lease, so that another goes on at once. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error("the driver was stopped"));
    this.#lookTimer?.cancel();
    await this.#looking;
    await this.#leave();
    // Without it, others wait for the lease to run out: no harm.
    await this.#lease.release().catch(() => undefined);
  }

  #lookIn(delayMs: number): void {
    if (this.#stop.signal.aborted) return;
    const timer = this.#options.clock.schedule(delayMs, () => {
      this.#looking = this.#look();
    });
    this.#lookTimer = timer;
  }

  async #look(): Promise<void> {
    const { log, change, leaseMs } = this.#options;
    let held = this.#lease.held;
    try {
      held = await this.#lease.attempt();
    } catch (error) {
      log.debug(
        { change, error: errorText(error) },
        "the lease of a mode change cannot be reached",
      );
      held = this.#lease.held;
    }
    if (this.#stop.signal.aborted) return;
    if (held) this.#enter();
    else await this.#leave();
    const { rank, jitter } = this.#options.standing(change);
    const standbyMs = Math.min(SLOWEST_LOOK_MS, leaseMs * (1 + rank / RANKS_PER_LEASE));
    this.#lookIn(held ? leaseMs / RENEWALS_PER_LEASE : standbyMs * (0.8 + 0.4 * jitter));
    if (held) this.#stepIn(DEBOUNCE_MS);
  }

  #enter(): void {
    if (this.#driving) return;
    const { store, clock, log, kept, change, identity, judges, newKey } = this.#options;
    const changed = () => this.wake();
    const observed = new Observed({ store, clock, log, change, kept, changed });
    const end = new AbortController();
    const { signal } = end;
    const mayWrite = () => this.#lease.held && !signal.aborted;
    const drive = new Drive({
      ...{ store, clock, log, change, identity, observed, judges, newKey },
      mayWrite,
      signal,
    });
    this.#driving = { observed, drive, end };
    observed.start();
    log.info({ change }, "drives a mode change");
  }

  async #leave(): Promise<void> {
    const driving = this.#driving;
    if (!driving) return;
    this.#driving = undefined;
    this.#stepTimer?.cancel();
    this.#stepDueMs = Number.POSITIVE_INFINITY;
    driving.end.abort(new Error("the lease is held by another, or not needed any more"));
    await this.#stepping;
    await driving.observed.stop();
  }

  #stepIn(delayMs: number): void {
    const { clock } = this.#options;
    const dueMs = clock.monotonicMs() + delayMs;
    if (dueMs >= this.#stepDueMs) return;
    this.#stepTimer?.cancel();
    this.#stepDueMs = dueMs;
    this.#stepTimer = clock.schedule(delayMs, () => {
      this.#stepDueMs = Number.POSITIVE_INFINITY;
      if (this.#stepQueued) return;
      this.#stepQueued = true;
      this.#stepping = this.#stepping.then(() => this.#step());
    });
  }

  async #step(): Promise<void> {
    this.#stepQueued = false;
    const driving = this.#driving;
    if (!driving) return;
    const waitMs = await driving.drive.advance();
    if (waitMs !== undefined && driving === this.#driving) {
      this.#stepIn(Math.min(waitMs, LONGEST_WAIT_MS));
    }
  }
}
