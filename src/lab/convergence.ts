/** Waits for the nodes of a cluster to say, by their NodeModes, that they have come where a pool wants them. */

import { Collection, type Datastore } from "../datastore/index.ts";
import { type Clock, deadline, errorText, SwitchyardError } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import { type IPPool, type NodeMode, poolMode } from "../model/index.ts";

export interface ModeWatcher {
  /** Resolves when every node has realised this revision of the pool. @throws LAB_FAILED, naming who has not. */
  realised(pool: IPPool): Promise<void>;
  stop(): Promise<void>;
}

const PATIENCE_MS = 30_000;

export interface WatchModesOptions {
  readonly store: Datastore;
  /** Names of the nodes that must say so. */
  readonly nodes: readonly string[];
  readonly clock: Clock;
}

export async function watchModes(options: WatchModesOptions): Promise<ModeWatcher> {
  const { store, nodes, clock } = options;
  const collection = new Collection({ store, kind: "NodeMode", clock, log: silentLog });
  collection.start();

  const until = (what: string, obstacle: (mode: NodeMode | undefined) => string | undefined) =>
    new Promise<void>((resolve, reject) => {
      const signal = deadline(clock, PATIENCE_MS);
      const check = () => {
        const behind = nodes.flatMap((node) => {
          const text = obstacle(collection.items().get(node));
          return text === undefined ? [] : [`${node}: ${text}`];
        });
        if (behind.length > 0 && !signal.aborted) return;
        unsubscribe();
        if (behind.length === 0) return resolve();
        const message = `not every node ${what} within ${PATIENCE_MS} ms: ${behind.join("; ")}`;
        reject(new SwitchyardError("LAB_FAILED", message));
      };
      const unsubscribe = collection.onChange(check);
      signal.addEventListener("abort", check, { once: true });
      check();
    });

  return {
    realised: (pool) =>
      until(`had moved to ${poolMode(pool.spec)}`, (mode) => {
        const progress = mode?.status?.pools[pool.metadata.name];
        if (!progress) return "says nothing of the pool";
        if (progress.resourceVersion !== pool.metadata.resourceVersion)
          return "has not seen the change";
        return progress.realised ? undefined : progress.waiting.join(", ");
      }),
    stop: async () => {
      try {
        await collection.stop();
      } catch (error) {
        throw new SwitchyardError("LAB_FAILED", `the watch did not end: ${errorText(error)}`);
      }
    },
  };
}
