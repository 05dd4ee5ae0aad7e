/**
 * Keeps this node's NodeHost. After each pass of the agent it looks, once a second at most when nothing is new, and
 * writes what is otherwise than it wrote last. What comes and goes by itself makes no writes: how many pods have
 * an MTU or sockets an address, a BGP session on its way between two states, a block that BGP is about to tell
 * of. A thousand nodes do this.
 */

import type { Datastore } from "../../datastore/index.ts";
import { type Clock, errorText, hasCode, type Timer } from "../../lib/index.ts";
import type { Log } from "../../lib/log/index.ts";
import type { NodeHost } from "../../model/index.ts";
import { type HostInput, type HostStatus, hostStatus } from "./facts.ts";

/** Between two looks: so long when nothing was new, after a write the longer the more often there was one. */
const LOOK_EVERY_MS = 1_000;
const FIRST_GAP_MS = 200;
const LONGEST_GAP_MS = 5_000;
/** A block that BGP has not told of for so long is missing. */
const MISSING_AFTER_MS = 5_000;
/** Somebody may have deleted the object, which nobody watches. */
const CHECK_EVERY_MS = 600_000;

/** What is to be said, less the time that passes; `owner` tells one Node of a name from the next. */
export interface HostLook {
  readonly owner: string;
  readonly input: HostInput;
}

export interface HostPublisherOptions {
  readonly store: Pick<Datastore, "get" | "create" | "update">;
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Undefined while there is nothing to say yet: no datastore, no Node. */
  readonly look: () => Promise<HostLook | undefined>;
}

export class HostPublisher {
  readonly #options: HostPublisherOptions;
  readonly #missingSinceMs = new Map<string, number>();
  #written: string | undefined;
  #writtenAtMs = Number.NEGATIVE_INFINITY;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #gapMs = 0;
  /** After the next write: while sessions come up much is new, and somebody may be waiting to know. */
  #nextGapMs = FIRST_GAP_MS;
  #timer: Timer | undefined;
  #working: Promise<void> | undefined;
  #stopped = false;
  #trouble: string | undefined;

  constructor(options: HostPublisherOptions) {
    this.#options = options;
  }

  /** Something may have changed. */
  note(): void {
    if (this.#stopped || this.#timer || this.#working) return;
    const { clock } = this.#options;
    const dueMs = Math.max(0, this.#lookedAtMs + this.#gapMs - clock.monotonicMs());
    this.#timer = clock.schedule(dueMs, () => {
      this.#timer = undefined;
      this.#lookedAtMs = clock.monotonicMs();
      this.#working = this.#lookAndWrite().then((again) => {
        this.#working = undefined;
        if (again) this.note();
      });
    });
  }

  /** Why the others do not know this host as it is; nothing if they do. */
  get troubles(): readonly string[] {
    return this.#trouble === undefined ? [] : [`NodeHost: ${this.#trouble}`];
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#working;
  }

  /** True if it is to be looked at again though nothing happens. */
  async #lookAndWrite(): Promise<boolean> {
    const { clock, log } = this.#options;
    try {
      const look = await this.#options.look();
      if (look === undefined || this.#stopped) return false;
      const { missing, young } = this.#lasting(look.input.missing);
      const status = hostStatus({ ...look.input, missing });
      const text = JSON.stringify([look.owner, lasting(status)]);
      const nowMs = clock.monotonicMs();
      if (text !== this.#written || nowMs - this.#writtenAtMs > CHECK_EVERY_MS) {
        await this.#write({ ...status, updatedAt: new Date(clock.now()).toISOString() }, text);
        this.#gapMs = this.#nextGapMs;
        this.#nextGapMs = Math.min(this.#nextGapMs * 2, LONGEST_GAP_MS);
      } else {
        this.#gapMs = LOOK_EVERY_MS;
        this.#nextGapMs = FIRST_GAP_MS;
      }
      this.#trouble = undefined;
      return young;
    } catch (error) {
      this.#gapMs = LONGEST_GAP_MS;
      this.#trouble = errorText(error);
      log.debug({ err: error }, "NodeHost not written");
      return true;
    }
  }

  #lasting(missing: readonly string[]): { missing: readonly string[]; young: boolean } {
    const nowMs = this.#options.clock.monotonicMs();
    const now = new Set(missing);
    for (const block of this.#missingSinceMs.keys()) {
      if (!now.has(block)) this.#missingSinceMs.delete(block);
    }
    for (const block of missing) {
      if (!this.#missingSinceMs.has(block)) this.#missingSinceMs.set(block, nowMs);
    }
    const old = missing.filter(
      (block) => nowMs - (this.#missingSinceMs.get(block) ?? nowMs) >= MISSING_AFTER_MS,
    );
    return { missing: old, young: old.length < missing.length };
  }

  async #write(status: NonNullable<NodeHost["status"]>, text: string): Promise<void> {
    const { store, node, clock } = this.#options;
    const fresh = { apiVersion: "switchyard.io/v1", kind: "NodeHost", spec: {}, status } as const;
    const stored = await this.#stored();
    if (!stored) await store.create<"NodeHost">({ ...fresh, metadata: { name: node } });
    else if (!stored.status || differ(stored.status, status)) {
      await store.update<"NodeHost">({ ...fresh, metadata: stored.metadata });
    }
    this.#written = text;
    this.#writtenAtMs = clock.monotonicMs();
  }

  async #stored(): Promise<NodeHost | undefined> {
    const { store, node } = this.#options;
    try {
      return await store.get("NodeHost", node);
    } catch (error) {
      if (hasCode(error, "RESOURCE_NOT_FOUND")) return undefined;
      throw error;
    }
  }
}

function differ(a: NonNullable<NodeHost["status"]>, b: NonNullable<NodeHost["status"]>): boolean {
  return JSON.stringify(lasting(a)) !== JSON.stringify(lasting(b));
}

const inBetween = ["Connect", "Active", "OpenSent", "OpenConfirm"];

/** What a difference is worth a write for, its keys in one order: a store may give them back in another. */
function lasting(status: HostStatus & { readonly updatedAt?: string }): unknown {
  const { updatedAt: _, podMtus, tunnelAddressSockets, bgp, ...rest } = status;
  const peers = bgp?.peers.map((peer) => ({
    ...peer,
    state: inBetween.includes(peer.state) ? "Idle" : peer.state,
  }));
  return sorted({
    ...rest,
    podMtus: Object.keys(podMtus),
    tunnelAddressSockets: Object.keys(tunnelAddressSockets),
    bgp: bgp && { ...bgp, peers },
  });
}

function sorted(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, item: unknown) =>
      item !== null && typeof item === "object" && !Array.isArray(item)
        ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
        : item,
    ),
  );
}
