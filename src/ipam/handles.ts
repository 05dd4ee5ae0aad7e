/**
 * Handles: which blocks hold addresses of one owner, and how many.
 *
 * A count is raised before the block is written and lowered after it, so whatever dies in between
 * leaves it too high, never too low: everything an owner has can be found from its handle.
 */

import type { Datastore } from "../datastore/index.ts";
import type { ResourceOf } from "../model/index.ts";
import { handleName } from "./names.ts";
import {
  again,
  createRecord,
  deleteRecord,
  done,
  readRecord,
  retryRaces,
  unlessRace,
  updateRecord,
} from "./records.ts";

export type HandleRecord = ResourceOf<"IPAMHandle">;

export function readHandle(store: Datastore, handle: string): Promise<HandleRecord | undefined> {
  return readRecord(store, "IPAMHandle", handleName(handle));
}

export interface HandleChange {
  readonly handle: string;
  /** CIDR text of the block. */
  readonly block: string;
  readonly count: number;
}

export function incrementHandle(store: Datastore, change: HandleChange): Promise<void> {
  const { handle, block, count } = change;
  return retryRaces(`count ${count} in handle ${handle}`, async () => {
    const record = await readHandle(store, handle);
    if (record === undefined) {
      const spec = { handleID: handle, block: { [block]: count }, deleted: false };
      const created = createRecord(store, "IPAMHandle", { name: handleName(handle), spec });
      return (await unlessRace(created)) ? done(undefined) : again;
    }
    const total = (record.spec.block[block] ?? 0) + count;
    const spec = { ...record.spec, block: { ...record.spec.block, [block]: total } };
    return (await unlessRace(updateRecord(store, record, spec))) ? done(undefined) : again;
  });
}

/** A count that falls to zero goes; a handle without counts goes too. */
export function decrementHandle(store: Datastore, change: HandleChange): Promise<void> {
  const { handle, block, count } = change;
  return retryRaces(`discount ${count} in handle ${handle}`, async () => {
    const record = await readHandle(store, handle);
    const counted = record?.spec.block[block];
    if (record === undefined || counted === undefined) return done(undefined);
    const written = await setHandleCount(store, { record, block, count: counted - count });
    return written ? done(undefined) : again;
  });
}

/** Writes one count into the handle as it was read. False if the handle has changed since. */
export async function setHandleCount(
  store: Datastore,
  change: { readonly record: HandleRecord; readonly block: string; readonly count: number },
): Promise<boolean> {
  const { record } = change;
  const { [change.block]: _old, ...others } = record.spec.block;
  if (change.count > 0) {
    const spec = { ...record.spec, block: { ...others, [change.block]: change.count } };
    return (await unlessRace(updateRecord(store, record, spec))) !== undefined;
  }
  if (Object.keys(others).length > 0) {
    const written = updateRecord(store, record, { ...record.spec, block: others });
    return (await unlessRace(written)) !== undefined;
  }
  return (await unlessRace(deleteRecord(store, record))) !== undefined;
}
