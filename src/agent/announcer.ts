/**
 * Publishes the node's NodeMode: what it accepts, may send and has realised. The agent is the only
 * writer of its own object; a conflict means an older self, and is overwritten.
 */

import type { Datastore } from "../datastore/index.ts";
import { type Clock, hasCode } from "../lib/index.ts";
import type { Encapsulation, NodeMode, NodeModeStatus } from "../model/index.ts";

/** What others are told, less the time of telling. */
export type Announcement = Omit<NodeModeStatus, "updatedAt">;

export class Announcer {
  readonly #store: Datastore;
  readonly #node: string;
  readonly #clock: Clock;

  constructor(options: {
    readonly store: Datastore;
    readonly node: string;
    readonly clock: Clock;
  }) {
    this.#store = options.store;
    this.#node = options.node;
    this.#clock = options.clock;
  }

  /**
   * Writes the announcement if it says anything new.
   * @returns the revision that holds it, or undefined if `published` says the same already.
   */
  async publish(
    announcement: Announcement,
    published: NodeMode | undefined,
  ): Promise<string | undefined> {
    if (published?.status && sameAnnouncement(published.status, announcement)) return undefined;
    const status = { ...announcement, updatedAt: new Date(this.#clock.now()).toISOString() };
    for (let attempt = 0; ; attempt++) {
      try {
        const stored = await this.#write(status);
        return stored.metadata.resourceVersion;
      } catch (error) {
        const raced =
          hasCode(error, "RESOURCE_CONFLICT") || hasCode(error, "RESOURCE_ALREADY_EXISTS");
        if (!raced || attempt >= 5) throw error;
      }
    }
  }

  async #write(status: NodeModeStatus): Promise<NodeMode> {
    const fresh = { apiVersion: "switchyard.io/v1", kind: "NodeMode", spec: {}, status } as const;
    let stored: NodeMode;
    try {
      stored = await this.#store.get("NodeMode", this.#node);
    } catch (error) {
      if (!hasCode(error, "RESOURCE_NOT_FOUND")) throw error;
      return this.#store.create<"NodeMode">({ ...fresh, metadata: { name: this.#node } });
    }
    return this.#store.update<"NodeMode">({ ...fresh, metadata: stored.metadata });
  }
}

function sameAnnouncement(published: NodeModeStatus, wanted: Announcement): boolean {
  const { updatedAt: _, ...rest } = published;
  return canonical(rest) === canonical(wanted);
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
  return (["none", "ipip", "vxlan"] as const).filter((item) => set.has(item));
}
