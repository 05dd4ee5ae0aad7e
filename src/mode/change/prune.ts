/** What is kept of changes that have ended: the last of each pool, with their evidence. */

import type { Datastore } from "../../datastore/index.ts";
import { hasCode } from "../../lib/index.ts";
import type { Lease, ModeChange } from "../../model/index.ts";
import type { Observed } from "./observed.ts";
import { hasEnded } from "./write.ts";

const KEPT_PER_POOL = 20;

/** Those of one pool, or of the mesh, newest first. */
export function changesOf(changes: Iterable<ModeChange>, pool: string | undefined): ModeChange[] {
  return [...changes].filter(({ spec }) => spec.pool === pool).sort((a, b) => newness(b, a));
}

/**
 * Deletes what is too old, each change after all that belongs to it, and what belonged to changes that somebody
 * deleted himself. What does not succeed now does after the next change.
 */
export async function prune(
  store: Pick<Datastore, "list" | "delete">,
  { observed, change }: { readonly observed: Observed; readonly change: ModeChange },
): Promise<void> {
  const gone = async (kind: "ModeEvidence" | "Lease" | "ModeChange", name: string) => {
    try {
      await store.delete(kind, name);
    } catch (error) {
      if (!hasCode(error, "RESOURCE_NOT_FOUND")) throw error;
    }
  };
  try {
    const old = new Set(tooOld(observed, change));
    // A change is there before anything of it: what is seen before the changes are listed belongs to one of them.
    const evidence = observed.allEvidence();
    const leases = (await store.list("Lease")).items.filter(isOfDriver);
    const { items } = await store.list("ModeChange");
    const kept = new Set(items.map(({ metadata }) => metadata.name)).difference(old);
    for (const { name, change } of evidence) {
      if (!kept.has(change)) await gone("ModeEvidence", name);
    }
    for (const { metadata } of leases) {
      if (!kept.has(metadata.name)) await gone("Lease", metadata.name);
    }
    for (const name of old) await gone("ModeChange", name);
  } catch {
    // The change has ended as it should; its predecessors can wait.
  }
}

function tooOld({ kept }: Observed, change: ModeChange): string[] {
  const changes = changesOf(kept.modeChanges.items().values(), change.spec.pool);
  const ended = changes.filter(
    ({ metadata, status }) =>
      metadata.name !== change.metadata.name && status && hasEnded(status.phase),
  );
  return ended.slice(KEPT_PER_POOL - 1).map(({ metadata }) => metadata.name);
}

/** Those of pools, of the mesh and of the probes stay, and have no duration. */
function isOfDriver({ spec }: Lease): boolean {
  return spec.leaseDurationSeconds !== undefined;
}

/** By when they were asked for, and by name within a second. */
function newness(a: ModeChange, b: ModeChange): number {
  const key = ({ metadata }: ModeChange) => `${metadata.creationTimestamp} ${metadata.name}`;
  return key(a) < key(b) ? -1 : 1;
}
