/** What else goes when a pool or a node goes. The object itself is always deleted last. */

import {
  type Clock,
  type IpAddress,
  parsePrefix,
  parsePrefixOrAddress,
  sleep,
} from "../lib/index.ts";
import { type Kind, type Node, updateConflict } from "../model/index.ts";
import { releaseAddresses, releaseHostAffinities, releasePoolAffinities } from "./release.ts";
import type { Datastore, DeleteOptions } from "./types.ts";

/** Time for allocations that began before the pool was disabled. */
const allocationsFinishMs = 500;

/** @throws RESOURCE_CONFLICT before anything was touched, if a precondition does not hold. */
function checkPreconditions(
  resource: { readonly kind: Kind; readonly metadata: Node["metadata"] },
  options: DeleteOptions,
): void {
  const { kind, metadata } = resource;
  const { name, resourceVersion, uid } = metadata;
  const moved = options.resourceVersion && options.resourceVersion !== resourceVersion;
  if (moved || (options.uid && options.uid !== uid)) throw updateConflict({ kind, name });
}

export async function deletePool(
  store: Datastore,
  object: { readonly name: string; readonly options: DeleteOptions; readonly clock: Clock },
) {
  const { name, options, clock } = object;
  const pool = await store.get("IPPool", name);
  checkPreconditions(pool, options);
  if (!pool.spec.disabled) {
    await store.update({ ...pool, spec: { ...pool.spec, disabled: true } });
  }
  const cidr = parsePrefix(pool.spec.cidr);
  if (cidr) {
    await sleep(clock, allocationsFinishMs);
    await releasePoolAffinities(store, cidr);
  }
  const { uid } = pool.metadata;
  return store.delete("IPPool", name, uid ? { uid } : {});
}

function tunnelAddresses({ spec }: Node): IpAddress[] {
  const texts = [
    spec.bgp?.ipv4IPIPTunnelAddr,
    spec.ipv4VXLANTunnelAddr,
    spec.ipv6VXLANTunnelAddr,
    spec.wireguard?.interfaceIPv4Address,
  ];
  return addressesOf(texts);
}

function addressesOf(texts: readonly (string | undefined)[]): IpAddress[] {
  return texts.flatMap((text) => parsePrefixOrAddress(text ?? "")?.address ?? []);
}

async function deleteIfThere(store: Datastore, kind: Kind, name: string): Promise<void> {
  const { items } = await store.list(kind);
  if (items.some((item) => item.metadata.name === name)) await store.delete(kind, name);
}

export async function deleteNode(
  store: Datastore,
  object: { readonly name: string; readonly options: DeleteOptions },
) {
  const { name, options } = object;
  const node = await store.get("Node", name);
  checkPreconditions(node, options);
  const { items } = await store.list("WorkloadEndpoint");
  const endpoints = items.filter(({ spec }) => spec.node === name);
  const addresses = endpoints.flatMap(({ spec }) => addressesOf(spec.ipNetworks ?? []));
  await releaseAddresses(store, [...addresses, ...tunnelAddresses(node)]);
  for (const { metadata } of endpoints) {
    const { namespace } = metadata;
    await store.delete("WorkloadEndpoint", metadata.name, namespace ? { namespace } : {});
  }
  await releaseHostAffinities(store, name);
  for (const peer of (await store.list("BGPPeer")).items) {
    if (peer.spec.node === name) await store.delete("BGPPeer", peer.metadata.name);
  }
  await deleteIfThere(store, "FelixConfiguration", `node.${name}`);
  await deleteIfThere(store, "BGPConfiguration", `node.${name}`);
  // What the node accepts and sends: others wait for its word as long as it is there.
  await deleteIfThere(store, "NodeMode", name);
  await deleteIfThere(store, "NodeHost", name);
  const { uid } = node.metadata;
  return store.delete("Node", name, uid ? { uid } : {});
}
