/**
 * Who drives: the Lease of a change's name. A lease is lost when the candidate has not seen it change for its
 * duration, measured by the candidate's own monotonic clock; the times in it are for readers. It keeps two drivers
 * from working against each other, and is not needed for safety: every write is a compare-and-swap.
 */

import type { Datastore } from "../../datastore/index.ts";
import { type Clock, hasCode } from "../../lib/index.ts";
import type { Lease } from "../../model/index.ts";

export interface LeaseOptions {
  readonly store: Pick<Datastore, "get" | "create" | "update">;
  readonly clock: Clock;
  readonly name: string;
  readonly identity: string;
  readonly durationMs: number;
}

export class LeaseCandidate {
  readonly #options: LeaseOptions;
  #heldUntilMs = Number.NEGATIVE_INFINITY;
  /** The lease of another, and since when it has been as it is. */
  #seen: { readonly revision: string | undefined; readonly sinceMs: number } | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  get held(): boolean {
    return this.#options.clock.monotonicMs() < this.#heldUntilMs;
  }

  /** Renews it, takes it if it is free or lost, or looks whether it still changes. @throws what the store throws. */
  async attempt(): Promise<boolean> {
    const startedMs = this.#options.clock.monotonicMs();
    try {
      const taken = await this.#take(await this.#stored(), startedMs);
      // Counted from before the write: whoever looks on has not seen it earlier.
      if (taken) this.#heldUntilMs = startedMs + this.#options.durationMs;
      else this.#heldUntilMs = Number.NEGATIVE_INFINITY;
      return taken;
    } catch (error) {
      const lost =
        hasCode(error, "RESOURCE_CONFLICT") ||
        hasCode(error, "RESOURCE_ALREADY_EXISTS") ||
        hasCode(error, "RESOURCE_NOT_FOUND");
      if (!lost) throw error;
      this.#heldUntilMs = Number.NEGATIVE_INFINITY;
      return false;
    }
  }

  /** Gives it up, so that nobody has to wait for its end. */
  async release(): Promise<void> {
    if (!this.held) return;
    this.#heldUntilMs = Number.NEGATIVE_INFINITY;
    const lease = await this.#stored();
    if (lease?.spec.holderIdentity !== this.#options.identity) return;
    const { holderIdentity: _, ...spec } = lease.spec;
    await this.#options.store.update<"Lease">({ ...lease, spec });
  }

  async #take(lease: Lease | undefined, nowMs: number): Promise<boolean> {
    const { store, name, identity } = this.#options;
    if (lease === undefined) {
      await store.create<"Lease">({
        apiVersion: "switchyard.io/v1",
        kind: "Lease",
        metadata: { name },
        spec: this.#spec(undefined),
      });
      return true;
    }
    const { holderIdentity } = lease.spec;
    const free = holderIdentity === undefined || holderIdentity === identity;
    if (!free && !this.#isLost(lease, nowMs)) return false;
    await store.update<"Lease">({ ...lease, spec: this.#spec(lease) });
    return true;
  }

  #isLost(lease: Lease, nowMs: number): boolean {
    const { resourceVersion: revision } = lease.metadata;
    if (this.#seen?.revision !== revision) this.#seen = { revision, sinceMs: nowMs };
    const { leaseDurationSeconds } = lease.spec;
    const durationMs =
      leaseDurationSeconds === undefined ? this.#options.durationMs : leaseDurationSeconds * 1000;
    return nowMs - (this.#seen?.sinceMs ?? nowMs) >= durationMs;
  }

  #spec(before: Lease | undefined): Lease["spec"] {
    const { clock, identity, durationMs } = this.#options;
    const now = new Date(clock.now()).toISOString().replace("Z", "000Z");
    const own = before?.spec.holderIdentity === identity;
    const transitions = before?.spec.leaseTransitions ?? 0;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(durationMs / 1000),
      acquireTime: own ? (before?.spec.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: before === undefined || own ? transitions : transitions + 1,
    };
  }

  async #stored(): Promise<Lease | undefined> {
    const { store, name } = this.#options;
    try {
      return await store.get("Lease", name);
    } catch (error) {
      if (hasCode(error, "RESOURCE_NOT_FOUND")) return undefined;
      throw error;
    }
  }
}
