/**
 * Giving addresses and blocks back when their pool or node is deleted. Every write is
 * compare-and-swap and safe to repeat, so that a clean-up that stopped half-way can be run again.
 */

import {
  addressAt,
  formatPrefix,
  hasCode,
  type IpAddress,
  maskPrefix,
  type Prefix,
  parsePrefix,
  prefixContains,
} from "../lib/index.ts";
import type { BlockAffinity, IPAMBlock, Kind, ResourceOf } from "../model/index.ts";
import type { Datastore } from "./types.ts";

const attempts = 100;
const addressKey = (address: IpAddress) => address.toString();

/** What to store instead, "delete", or undefined to leave it alone. */
type Change<K extends Kind> = (resource: ResourceOf<K>) => ResourceOf<K> | "delete" | undefined;

/** Applies `change` to the current object until nobody came between. A missing object is left so. */
async function amend<K extends Kind>(
  store: Datastore,
  object: { readonly kind: K; readonly name: string; readonly change: Change<K> },
): Promise<void> {
  const { kind, name, change } = object;
  for (let attempt = 1; ; attempt++) {
    try {
      const current = await store.get(kind, name);
      const changed = change(current);
      if (changed === undefined) return;
      const { resourceVersion } = current.metadata;
      if (changed !== "delete") await store.update(changed);
      else await store.delete(kind, name, resourceVersion ? { resourceVersion } : {});
      return;
    } catch (error) {
      if (hasCode(error, "RESOURCE_NOT_FOUND")) return;
      if (!hasCode(error, "RESOURCE_CONFLICT") || attempt === attempts) throw error;
    }
  }
}

function isEmpty(block: IPAMBlock): boolean {
  return block.spec.allocations.every((allocation) => allocation === null);
}

/** The affinities go; their blocks too if nobody uses them, else a block outlives its affinity. */
async function releaseAffinities(
  store: Datastore,
  isMeant: (affinity: BlockAffinity) => boolean,
): Promise<void> {
  const affinities = (await store.list("BlockAffinity")).items.filter(isMeant);
  if (affinities.length === 0) return;
  const blocks = (await store.list("IPAMBlock")).items;
  const names = new Map(blocks.map((block) => [block.spec.cidr, block.metadata.name]));
  for (const affinity of affinities) {
    await releaseAffinity(store, { affinity, blockName: names.get(affinity.spec.cidr) });
  }
}

async function releaseAffinity(
  store: Datastore,
  object: { readonly affinity: BlockAffinity; readonly blockName: string | undefined },
): Promise<void> {
  const { affinity, blockName } = object;
  const { node, type } = affinity.spec;
  const owner = `${type || "host"}:${node}`;
  if (blockName !== undefined) {
    await amend(store, {
      kind: "IPAMBlock",
      name: blockName,
      change: (current) => {
        if (current.spec.affinity !== owner) return undefined;
        if (isEmpty(current)) return "delete";
        return { ...current, spec: { ...current.spec, affinity: null } };
      },
    });
  }
  const { name } = affinity.metadata;
  await amend(store, { kind: "BlockAffinity", name, change: () => "delete" });
}

/** Releases every affinity to a block inside `cidr`. */
export function releasePoolAffinities(store: Datastore, cidr: Prefix): Promise<void> {
  return releaseAffinities(store, ({ spec }) => {
    const block = parsePrefix(spec.cidr);
    return block !== undefined && prefixContains(cidr, block.address);
  });
}

/** Releases every affinity of the host. */
export function releaseHostAffinities(store: Datastore, node: string): Promise<void> {
  return releaseAffinities(
    store,
    ({ spec }) => (spec.type || "host") === "host" && spec.node === node,
  );
}

/** Drops attributes that no allocation points at, and points the others anew. */
function compactAttributes(spec: IPAMBlock["spec"]): IPAMBlock["spec"] {
  const used = [...new Set(spec.allocations.filter((index) => index !== null))].sort(
    (a, b) => a - b,
  );
  const moved = new Map(used.map((index, position) => [index, position]));
  return {
    ...spec,
    attributes: used.map((index) => spec.attributes[index] ?? {}),
    allocations: spec.allocations.map((index) =>
      index === null ? null : (moved.get(index) ?? null),
    ),
  };
}

interface Released {
  readonly spec: IPAMBlock["spec"];
  /** Handle to number of its addresses that were released. */
  readonly handles: ReadonlyMap<string, number>;
}

function releaseFromBlock(spec: IPAMBlock["spec"], addresses: ReadonlySet<string>): Released {
  const cidr = parsePrefix(spec.cidr);
  const handles = new Map<string, number>();
  const freed: number[] = [];
  const allocations = spec.allocations.map((index, ordinal) => {
    if (index === null || !cidr) return index;
    if (!addresses.has(addressKey(addressAt(maskPrefix(cidr), ordinal)))) return index;
    const handle = spec.attributes[index]?.handle_id;
    if (handle) handles.set(handle, (handles.get(handle) ?? 0) + 1);
    freed.push(ordinal);
    return null;
  });
  if (freed.length === 0) return { spec, handles };
  const sequence = Object.entries(spec.sequenceNumberForAllocation ?? {}).filter(
    ([ordinal]) => !freed.includes(Number(ordinal)),
  );
  const released = compactAttributes({
    ...spec,
    allocations,
    unallocated: [...spec.unallocated, ...freed],
    sequenceNumber: BigInt(spec.sequenceNumber) + 1n,
    sequenceNumberForAllocation: Object.fromEntries(sequence),
  });
  return { spec: released, handles };
}

async function decrementHandle(
  store: Datastore,
  use: { readonly handle: string; readonly cidr: string; readonly count: number },
): Promise<void> {
  const { handle, cidr, count } = use;
  await amend(store, {
    kind: "IPAMHandle",
    name: handle.toLowerCase(),
    change: (current) => {
      const { [cidr]: before = 0, ...block } = current.spec.block;
      if (before > count) block[cidr] = before - count;
      if (Object.keys(block).length === 0) return "delete";
      return { ...current, spec: { ...current.spec, block } };
    },
  });
}

/** Frees these addresses in whatever blocks hold them, and tells their handles. */
export async function releaseAddresses(
  store: Datastore,
  addresses: readonly IpAddress[],
): Promise<void> {
  const wanted = new Set(addresses.map(addressKey));
  const { items } = await store.list("IPAMBlock");
  for (const item of items) {
    const cidr = parsePrefix(item.spec.cidr);
    if (!cidr || !addresses.some((address) => prefixContains(cidr, address))) continue;
    let handles: ReadonlyMap<string, number> = new Map();
    await amend(store, {
      kind: "IPAMBlock",
      name: item.metadata.name,
      change: (current) => {
        const released = releaseFromBlock(current.spec, wanted);
        handles = released.handles;
        if (released.spec === current.spec) return undefined;
        const block = { ...current, spec: released.spec };
        return !block.spec.affinity && isEmpty(block) ? "delete" : block;
      },
    });
    for (const [handle, count] of handles) {
      await decrementHandle(store, { handle, cidr: formatPrefix(cidr), count });
    }
  }
}
