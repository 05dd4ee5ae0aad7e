/**
 * Publishes the node's NodeMode: what it accepts, may send and has realised. The agent is the only
 * writer of its own object; a conflict means an older self, and is overwritten.
 *
 * A write whose answer is lost may have happened all the same, and a watch that lags still shows what
 * was said before it. So from the start of a write until it is read back, nothing the view shows of
 * this node is its last word, and nothing may be decided by it.
 */

import type { Datastore } from "../datastore/index.ts";
import { type Clock, deadline, hasCode } from "../lib/index.ts";
import {
  type Encapsulation,
  encapsulations,
  type NodeMode,
  type NodeModeStatus,
} from "../model/index.ts";
import type { Cluster } from "./cluster.ts";

/** What others are told, less the time of telling. */
export type Announcement = Omit<NodeModeStatus, "updatedAt">;

/** Detail of progress alone, which changes with every word of every other node, is said this often. */
const DETAIL_EVERY_MS = 1_000;
/** An announcement that is not read back by then means a datastore that is away. */
const READ_BACK_MS = 5_000;

export interface AnnouncerOptions {
  readonly store: Datastore;
  readonly cluster: Pick<Cluster, "nodeMode" | "nodeModesAt">;
  readonly node: string;
  readonly clock: Clock;
}

export class Announcer {
  readonly #options: AnnouncerOptions;
  /** A predecessor may have died with a write on its way: this process has said nothing yet. */
  #certain = false;
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #dueMs: number | undefined;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  /** This node's last word; undefined while it is not certain what that is. */
  get said(): NodeModeStatus | undefined {
    return this.#certain ? this.#shown : undefined;
  }

  /** Monotonic time at which to publish again what was put off; undefined: nothing was. */
  get dueMs(): number | undefined {
    return this.#dueMs;
  }

  /** What the view shows of this node; others may see something newer. */
  get #shown(): NodeModeStatus | undefined {
    const { cluster, node } = this.#options;
    return cluster.nodeMode(node)?.status;
  }

  /**
   * Says this, unless it is the last word already, and returns when the view shows it.
   * @throws what the datastore answers, or that it did not answer in time.
   */
  async publish(announcement: Announcement): Promise<void> {
    const { clock, cluster } = this.#options;
    const { said } = this;
    this.#dueMs = undefined;
    if (said && sameAnnouncement(said, announcement)) return;
    const dueMs = this.#saidAtMs + DETAIL_EVERY_MS;
    const detail = said && sameAnnouncement(withoutDetail(said), withoutDetail(announcement));
    if (detail && clock.monotonicMs() < dueMs) {
      this.#dueMs = dueMs;
      return;
    }
    this.#certain = false;
    const status = { ...announcement, updatedAt: new Date(clock.now()).toISOString() };
    const signal = deadline(clock, READ_BACK_MS);
    const { metadata } = await inTime(this.#write(status, signal), signal);
    await cluster.nodeModesAt(metadata.resourceVersion ?? "", signal);
    this.#certain = true;
    this.#saidAtMs = clock.monotonicMs();
  }

  async #write(status: NodeModeStatus, signal: AbortSignal): Promise<NodeMode> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#writeOnce(status, signal);
      } catch (error) {
        const raced =
          hasCode(error, "RESOURCE_CONFLICT") || hasCode(error, "RESOURCE_ALREADY_EXISTS");
        if (!raced || attempt >= 5) throw error;
      }
    }
  }

  async #writeOnce(status: NodeModeStatus, signal: AbortSignal): Promise<NodeMode> {
    const { store, node } = this.#options;
    const fresh = { apiVersion: "switchyard.io/v1", kind: "NodeMode", spec: {}, status } as const;
    const stored = await this.#stored();
    // A later publish may be on its way already, and what is given up here must not come after it.
    signal.throwIfAborted();
    if (!stored) return store.create<"NodeMode">({ ...fresh, metadata: { name: node } });
    return store.update<"NodeMode">({ ...fresh, metadata: stored.metadata });
  }

  async #stored(): Promise<NodeMode | undefined> {
    const { store, node } = this.#options;
    try {
      return await store.get("NodeMode", node);
    } catch (error) {
      if (hasCode(error, "RESOURCE_NOT_FOUND")) return undefined;
      throw error;
    }
  }
}

/** What `work` gives, unless the signal comes first; the work itself goes on. */
function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}

function sameAnnouncement(
  published: Announcement & Partial<NodeModeStatus>,
  wanted: Announcement,
): boolean {
  const { updatedAt: _, ...rest } = published;
  return canonical(rest) === canonical(wanted);
}

/** What others act on, and what an operator waits for. */
function withoutDetail<A extends Announcement>(announcement: A): A {
  const pools = Object.entries(announcement.pools).map(([name, progress]) => [
    name,
    { ...progress, waiting: [] },
  ]);
  return { ...announcement, destinations: {}, pools: Object.fromEntries(pools) };
}

/** JSON with sorted keys: a store may give fields back in another order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item !== null && typeof item === "object" && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

/** In the order of `encapsulations`, each once: equal sets publish equal lists. */
export function sortedEncapsulations(items: Iterable<Encapsulation>): Encapsulation[] {
  const set = new Set(items);
  return encapsulations.filter((item) => set.has(item));
}
