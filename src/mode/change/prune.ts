/** What is kept of changes that have ended: the last of each pool, with their evidence. */

import type { Datastore } from "../../datastore/index.ts";
import { hasCode } from "../../lib/index.ts";
import type { ModeChange } from "../../model/index.ts";
import type { Observed } from "./observed.ts";
import { hasEnded } from "./write.ts";

const KEPT_PER_POOL = 20;

/** Those of one pool, or of the mesh, newest first. */
export function changesOf(changes: Iterable<ModeChange>, pool: string | undefined): ModeChange[] {
  return [...changes].filter(({ spec }) => spec.pool === pool).sort((a, b) => newness(b, a));
}

/**
 * Deletes what is too old, each change after all that belongs to it. What does not succeed now does after the
 * next change.
 */
export async function prune(
  store: Pick<Datastore, "delete">,
  { observed, change }: { readonly observed: Observed; readonly change: ModeChange },
): Promise<void> {
  const ended = changesOf(observed.kept.modeChanges.items().values(), change.spec.pool).filter(
    ({ metadata, status }) =>
      metadata.name !== change.metadata.name && status && hasEnded(status.phase),
  );
  const old = ended.slice(KEPT_PER_POOL - 1).map(({ metadata }) => metadata.name);
  if (old.length === 0) return;
  const gone = async (kind: "ModeEvidence" | "Lease" | "ModeChange", name: string) => {
    try {
      await store.delete(kind, name);
    } catch (error) {
      if (!hasCode(error, "RESOURCE_NOT_FOUND")) throw error;
    }
  };
  try {
    for (const name of observed.evidenceOf(new Set(old))) await gone("ModeEvidence", name);
    for (const name of old) {
      await gone("Lease", name);
      await gone("ModeChange", name);
    }
  } catch {
    // The change has ended as it should; its predecessors can wait.
  }
}

/** By when they were asked for, and by name within a second. */
function newness(a: ModeChange, b: ModeChange): number {
  const key = ({ metadata }: ModeChange) => `${metadata.creationTimestamp} ${metadata.name}`;
  return key(a) < key(b) ? -1 : 1;
}
