/**
 * What one change has for itself until it ends: its pool, and the probe addresses, of which a node has one. Each
 * is a Lease that names the change, taken by compare-and-swap. It has no duration: it is free when the change
 * that it names has ended, or is no more.
 */

import type { Datastore } from "../../datastore/index.ts";
import { hasCode } from "../../lib/index.ts";
import type { ModeChange } from "../../model/index.ts";
import { hasEnded } from "./write.ts";

type Store = Pick<Datastore, "get" | "create" | "update">;

/** Of what a change is of. */
export function poolLease({ spec }: ModeChange): string {
  return spec.pool === undefined ? "mesh" : `pool.${spec.pool}`;
}

export const PROBES_LEASE = "probes";

/** The change that has it: this one, or the one before it. */
export async function claim(
  store: Store,
  { lease, change }: { readonly lease: string; readonly change: string },
): Promise<string> {
  for (;;) {
    try {
      return await claimOnce(store, { lease, change });
    } catch (error) {
      const raced =
        hasCode(error, "RESOURCE_CONFLICT") || hasCode(error, "RESOURCE_ALREADY_EXISTS");
      if (!raced) throw error;
    }
  }
}

async function claimOnce(
  store: Store,
  { lease: name, change }: { readonly lease: string; readonly change: string },
): Promise<string> {
  const lease = await found(store.get("Lease", name));
  const spec = { holderIdentity: change };
  if (lease === undefined) {
    const metadata = { name };
    await store.create<"Lease">({
      apiVersion: "switchyard.io/v1",
      kind: "Lease",
      metadata,
      spec,
    });
    return change;
  }
  const holder = lease.spec.holderIdentity ?? change;
  if (holder === change && lease.spec.holderIdentity !== undefined) return change;
  const other = holder === change ? undefined : await found(store.get("ModeChange", holder));
  const over = other === undefined || (other.status && hasEnded(other.status.phase));
  if (!over) return holder;
  await store.update<"Lease">({ ...lease, spec });
  return change;
}

async function found<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (hasCode(error, "RESOURCE_NOT_FOUND")) return undefined;
    throw error;
  }
}
