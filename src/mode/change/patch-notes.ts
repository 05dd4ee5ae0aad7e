/**
 * A plain patch of a pool's mode is a change like any other, and is noted: as a ModeChange without orders that is
 * over when every node has realised it. All agents see the patch; who comes first by the hash of the change's
 * name writes, the others look whether it is there when their turn comes.
 */

import type { CollectionChange, Datastore } from "../../datastore/index.ts";
import { type Clock, errorText, hasCode, type Timer } from "../../lib/index.ts";
import type { Log } from "../../lib/log/index.ts";
import { type IPPool, type ModeChange, type ModeName, modeName } from "../../model/index.ts";
import type { KeptCollections } from "./observed.ts";
import { standing } from "./rank.ts";
import { hasEnded, timeText } from "./write.ts";

export interface PatchNotesOptions {
  readonly store: Pick<Datastore, "create">;
  readonly clock: Clock;
  readonly log: Log;
  readonly node: string;
  readonly collections: Pick<KeptCollections, "nodes" | "pools" | "modeChanges">;
}

interface Patch {
  readonly pool: IPPool;
  readonly from: ModeName;
  /** The last revision of the pool at which it said `from`. */
  readonly after: string;
}

/** The first waits for the driver's own words about the same write to be seen. */
const FIRST_TURN_MS = 1_000;
const TURN_MS = 2_000;
const LATEST_TURN_MS = 60_000;

export class PatchNotes {
  readonly #options: PatchNotesOptions;
  readonly #known = new Map<string, { readonly mode: ModeName; readonly revision: string }>();
  readonly #timers = new Set<Timer>();
  readonly #stop = new AbortController();
  readonly #unsubscribe: () => void;

  constructor(options: PatchNotesOptions) {
    this.#options = options;
    const { pools } = options.collections;
    for (const pool of pools.items().values()) this.#remember(pool);
    this.#unsubscribe = pools.onChange((changes) => this.#see(changes));
  }

  stop(): void {
    this.#stop.abort(new Error("the agent stops"));
    this.#unsubscribe();
    for (const timer of this.#timers) timer.cancel();
  }

  #remember(pool: IPPool): void {
    const revision = pool.metadata.resourceVersion ?? "";
    this.#known.set(pool.metadata.uid ?? "", { mode: modeName(pool.spec), revision });
  }

  #see(changes: readonly CollectionChange<"IPPool">[]): void {
    for (const { type, resource: pool } of changes) {
      const uid = pool.metadata.uid ?? "";
      const before = this.#known.get(uid);
      if (type === "deleted") {
        this.#known.delete(uid);
        continue;
      }
      this.#remember(pool);
      if (before === undefined || before.mode === modeName(pool.spec)) continue;
      this.#later({ pool, from: before.mode, after: before.revision });
    }
  }

  #later(patch: Patch): void {
    const { clock, collections, node } = this.#options;
    const nodes = collections.nodes.items().keys();
    const { rank, jitter } = standing({ change: nameOf(patch.pool), node, nodes });
    const turnMs = Math.min(rank * TURN_MS, LATEST_TURN_MS * (0.5 + jitter / 2));
    const timer = clock.schedule(FIRST_TURN_MS + turnMs, () => {
      this.#timers.delete(timer);
      void this.#note(patch);
    });
    this.#timers.add(timer);
  }

  async #note(patch: Patch): Promise<void> {
    const { store, log, collections } = this.#options;
    const { modeChanges } = collections;
    const revision = patch.pool.metadata.resourceVersion ?? "";
    try {
      // A driver says what it will write before it writes: that is seen then, if it was one.
      await modeChanges.waitFor(revision, this.#stop.signal);
      if ([...modeChanges.items().values()].some((change) => explains(change, patch))) return;
      await store.create<"ModeChange">(this.#record(patch));
    } catch (error) {
      if (this.#stop.signal.aborted || hasCode(error, "RESOURCE_ALREADY_EXISTS")) return;
      // Whoever comes next tries as well.
      log.debug({ error: errorText(error) }, "a patch of a pool's mode cannot be noted");
    }
  }

  #record({ pool, from }: Patch): ModeChange {
    const to = modeName(pool.spec);
    const { name, uid, resourceVersion = "" } = pool.metadata;
    const at = timeText(this.#options.clock.now());
    const phase = "Narrowing" as const;
    const message = `pool ${name} was patched from ${from} to ${to}; each node follows by itself`;
    return {
      apiVersion: "switchyard.io/v1",
      kind: "ModeChange",
      metadata: { name: nameOf(pool) },
      spec: { pool: name, to, requestedBy: "patch" },
      status: {
        ...{ phase, phaseSince: at, from, committed: true },
        poolResourceVersion: resourceVersion,
        ...(uid !== undefined && { poolUid: uid }),
        history: [{ at, phase, message }],
      },
    };
  }
}

function nameOf({ metadata }: IPPool): string {
  return `${metadata.name}-patch-${metadata.resourceVersion}`;
}

/**
 * Whether this change tells of that patch: it runs, and so deals with whatever happens to its pool; or it ended
 * with the pool as it was written then; or it is another's note of the same patch.
 */
function explains({ spec, status }: ModeChange, { pool, after }: Patch): boolean {
  if (spec.pool !== pool.metadata.name || status === undefined) return false;
  const noted = spec.requestedBy === "patch";
  const revision = status.poolResourceVersion ?? "";
  const sinceThen = newer(revision, after) && spec.to === modeName(pool.spec);
  if (noted || hasEnded(status.phase)) return sinceThen && status.committed === true;
  return true;
}

/** Revisions are decimal counters of any length. */
function newer(a: string, b: string): boolean {
  return a.length > b.length || (a.length === b.length && a > b);
}
