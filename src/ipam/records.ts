/**
 * Address-management objects in the datastore: absent objects as `undefined`, and compare-and-swap
 * loops. Every write of this folder goes through an object that was read before it.
 */

import type { Datastore } from "../datastore/index.ts";
import { hasCode, SwitchyardError } from "../lib/index.ts";
import { type Kind, kindTable, type ResourceOf, type SpecOf } from "../model/index.ts";

export type IpamKind = "IPAMBlock" | "BlockAffinity" | "IPAMHandle";

/** Attempts of every loop that competes with other writers. */
export const MAX_ATTEMPTS = 100;

export async function readOptional<K extends Kind>(
  store: Datastore,
  kind: K,
  name: string,
): Promise<ResourceOf<K> | undefined> {
  try {
    return await store.get(kind, name);
  } catch (error) {
    if (hasCode(error, "RESOURCE_NOT_FOUND")) return undefined;
    throw error;
  }
}

/**
 * Reads an address-management object. One marked `deleted` is half of a deletion that another client
 * does in two steps: it counts as absent, and is removed here so that its name can be used again.
 */
export async function readRecord<K extends IpamKind>(
  store: Datastore,
  kind: K,
  name: string,
): Promise<ResourceOf<K> | undefined> {
  const found = await readOptional(store, kind, name);
  if (found === undefined || !isDeleted(found)) return found;
  await unlessRace(deleteRecord(store, found));
  return undefined;
}

export function isDeleted(resource: ResourceOf<IpamKind>): boolean {
  return resource.spec.deleted === true || resource.spec.deleted === "true";
}

export function createRecord<K extends IpamKind>(
  store: Datastore,
  kind: K,
  record: { readonly name: string; readonly spec: SpecOf<K> },
): Promise<ResourceOf<K>> {
  const { apiVersion } = kindTable[kind];
  const { name, spec } = record;
  return store.create<K>({ apiVersion, kind, metadata: { name }, spec });
}

/** Writes `spec` if the object is still the one that was read. */
export function updateRecord<K extends IpamKind>(
  store: Datastore,
  read: ResourceOf<K>,
  spec: SpecOf<K>,
): Promise<ResourceOf<K>> {
  return store.update<K>({ ...read, spec });
}

/** Deletes the object if it is still the one that was read; gone already is as good. Always true. */
export async function deleteRecord<K extends IpamKind>(
  store: Datastore,
  read: ResourceOf<K>,
): Promise<true> {
  const { name, resourceVersion, uid } = read.metadata;
  try {
    await store.delete(read.kind, name, {
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(uid === undefined ? {} : { uid }),
    });
  } catch (error) {
    if (!hasCode(error, "RESOURCE_NOT_FOUND")) throw error;
  }
  return true;
}

/** Another writer was quicker: read again and repeat. */
export function isRace(error: unknown): boolean {
  return (
    hasCode(error, "RESOURCE_CONFLICT") ||
    hasCode(error, "RESOURCE_ALREADY_EXISTS") ||
    hasCode(error, "RESOURCE_NOT_FOUND")
  );
}

/** True if the datastore said that it did not write; a lost connection says nothing. */
export function isRefused(error: unknown): boolean {
  return isRace(error) || hasCode(error, "RESOURCE_INVALID");
}

/** What one attempt found: an end, or that it lost a race. */
export type Attempt<T> = { readonly kind: "done"; readonly value: T } | { readonly kind: "again" };

export const again = { kind: "again" } as const;

export function done<T>(value: T): Attempt<T> {
  return { kind: "done", value };
}

/** Repeats `attempt` while it loses races, which it reports as `again`. */
export async function retryRaces<T>(what: string, attempt: () => Promise<Attempt<T>>): Promise<T> {
  for (let i = 0; i < MAX_ATTEMPTS; i++) {
    const result = await attempt();
    if (result.kind === "done") return result.value;
  }
  throw new SwitchyardError(
    "RESOURCE_CONFLICT",
    `${what}: Max retries hit - excessive concurrent IPAM requests`,
  );
}

/** Does one write; `undefined` if a race was lost. */
export async function unlessRace<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (error) {
    if (isRace(error)) return undefined;
    throw error;
  }
}
