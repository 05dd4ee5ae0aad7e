/** What the tests of address management share: a datastore with pools, and reading it back whole. */

import assert from "node:assert/strict";
import { type Datastore, openSqliteStore } from "../datastore/index.ts";
import { FakeClock, formatAddress, prefix } from "../lib/index.ts";
import { type Kind, kindTable, type ResourceOf, type SpecOf } from "../model/index.ts";
import { addressOfOrdinal, allocationAt } from "./block.ts";
import { Ipam } from "./ipam.ts";
import { cidrName, hostOfAffinity } from "./names.ts";

export function put<K extends Kind>(
  store: Datastore,
  kind: K,
  object: {
    readonly name: string;
    readonly spec: SpecOf<K>;
    readonly labels?: Record<string, string>;
  },
): Promise<ResourceOf<K>> {
  const { name, spec, labels } = object;
  return store.create<K>({
    apiVersion: kindTable[kind].apiVersion,
    kind,
    metadata: labels ? { name, labels } : { name },
    spec,
  });
}

export interface World {
  readonly store: Datastore;
  readonly clock: FakeClock;
  readonly ipam: Ipam;
}

export type PoolSpec = SpecOf<"IPPool">;

/** A fresh datastore; pools are named by their place in the list. */
export async function world(
  pools: readonly PoolSpec[],
  configuration?: SpecOf<"IPAMConfiguration">,
): Promise<World> {
  const clock = new FakeClock();
  const store = openSqliteStore(":memory:");
  for (const [index, spec] of pools.entries()) {
    await put(store, "IPPool", { name: `pool-${index}`, spec });
  }
  if (configuration) {
    await put(store, "IPAMConfiguration", { name: "default", spec: configuration });
  }
  return { store, clock, ipam: new Ipam({ store, clock, random: () => 0.5 }) };
}

/** Every allocated address with its handle. */
export async function allocations(store: Datastore): Promise<Map<string, string | undefined>> {
  const found = new Map<string, string | undefined>();
  for (const { spec } of (await store.list("IPAMBlock")).items) {
    for (const ordinal of spec.allocations.keys()) {
      const allocation = allocationAt(spec, ordinal);
      if (allocation.kind !== "allocated") continue;
      const address = formatAddress(addressOfOrdinal(spec, ordinal));
      assert.ok(!found.has(address), `${address} is in two blocks`);
      found.set(address, allocation.handle);
    }
  }
  return found;
}

/**
 * What must hold at any moment, whoever died: blocks are sound, a confirmed affinity has its block,
 * a block has one owner, and handles count at least what is allocated (`exact`: just that).
 */
export async function assertConsistent(
  store: Datastore,
  options: { readonly exact: boolean },
): Promise<void> {
  const blocks = (await store.list("IPAMBlock")).items;
  const counted = new Map<string, number>();
  for (const { metadata, spec } of blocks) {
    const free = spec.allocations.flatMap((index, ordinal) => (index === null ? [ordinal] : []));
    assert.deepEqual(
      [...spec.unallocated].sort((a, b) => a - b),
      free,
      metadata.name,
    );
    const used = new Set(spec.allocations.filter((index) => index !== null));
    assert.deepEqual([...used].sort(), [...spec.attributes.keys()].sort(), "attributes are used");
    for (const ordinal of spec.allocations.keys()) {
      const allocation = allocationAt(spec, ordinal);
      if (allocation.kind !== "allocated") continue;
      const key = `${allocation.handle} ${spec.cidr}`;
      counted.set(key, (counted.get(key) ?? 0) + 1);
    }
  }
  for (const { spec } of (await store.list("BlockAffinity")).items) {
    if (spec.state !== "confirmed" || spec.deleted === true) continue;
    const block = blocks.find((entry) => entry.spec.cidr === spec.cidr);
    assert.equal(hostOfAffinity(block?.spec.affinity), spec.node, `owner of ${spec.cidr}`);
    assert.equal(block?.metadata.name, cidrName(prefix(spec.cidr)));
  }
  const claimed = new Map<string, number>();
  for (const { spec } of (await store.list("IPAMHandle")).items) {
    if (spec.deleted) continue;
    assert.ok(Object.keys(spec.block).length > 0, `handle ${spec.handleID} counts nothing`);
    for (const [cidr, count] of Object.entries(spec.block)) {
      claimed.set(`${spec.handleID} ${cidr}`, count);
    }
  }
  if (options.exact) assert.deepEqual(sorted(claimed), sorted(counted));
  for (const [key, count] of counted) {
    assert.ok((claimed.get(key) ?? 0) >= count, `${key}: counted ${claimed.get(key)} of ${count}`);
  }
}

function sorted(map: Map<string, number>): [string, number][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * What must hold besides when nobody works and nobody died: a block's host has a confirmed affinity
 * for it, so that its pods are routed, and with strict affinity nobody has another's address.
 */
export async function assertSettled(
  store: Datastore,
  options: { readonly strict: boolean },
): Promise<void> {
  const affinities = (await store.list("BlockAffinity")).items.map((affinity) => affinity.spec);
  for (const { spec } of (await store.list("IPAMBlock")).items) {
    const host = hostOfAffinity(spec.affinity);
    const states = affinities
      .filter((affinity) => affinity.cidr === spec.cidr)
      .map((affinity) => `${affinity.node} ${affinity.state}`);
    assert.deepEqual(states, host === undefined ? [] : [`${host} confirmed`]);
    if (!options.strict) continue;
    for (const ordinal of spec.allocations.keys()) {
      const allocation = allocationAt(spec, ordinal);
      if (allocation.kind === "allocated") assert.equal(allocation.attributes.node, host);
    }
  }
}
