/**
 * Keeps the node's tunnel addresses: taken from IPAM when a pool asks for the encapsulation, given
 * back only when the node has stopped receiving it. The Node resource is how others learn them.
 */

import type { Datastore } from "../datastore/index.ts";
import { eligibleTunnelPools, type Tunnel } from "../facts/index.ts";
import type { Ipam } from "../ipam/index.ts";
import { formatAddress, hasCode, type Prefix, parseAddress, prefixContains } from "../lib/index.ts";
import type { IPPool, Node } from "../model/index.ts";
import { storedAddress } from "./needed-tunnels.ts";

export interface TunnelAddressInput {
  readonly node: Node;
  readonly pools: readonly IPPool[];
  /** Tunnels whose device must stay: their addresses are not given back yet. */
  readonly receive: ReadonlySet<string>;
  /** Who uses an address, in words: it is neither given back nor replaced then. */
  readonly useOf: (address: string) => Promise<string | undefined>;
}

/** In the order of Calico's allocator. */
const attributeTypes = {
  ipip: "ipipTunnelAddress",
  vxlan: "vxlanTunnelAddress",
  "vxlan-v6": "vxlanV6TunnelAddress",
} as const;
const tunnels = Object.keys(attributeTypes) as Tunnel[];

/** Allocates and releases as the pools say, then writes the Node once if anything changed. */
export async function syncTunnelAddresses(
  ipam: Ipam,
  store: Datastore,
  { node, pools, receive, useOf }: TunnelAddressInput,
): Promise<void> {
  const wanted: Partial<Record<Tunnel, string | undefined>> = {};
  for (const tunnel of tunnels) {
    const eligible = eligibleTunnelPools({ pools, labels: node.metadata.labels ?? {}, tunnel });
    if (eligible.length === 0 && (receive.has(tunnel) || !storedAddress(node, tunnel))) continue;
    const stored = storedAddress(node, tunnel);
    if (stored && !isEligible(stored, eligible) && (await useOf(stored)) !== undefined) continue;
    const address = await ipam.ensureTunnelAddress({
      node: node.metadata.name,
      type: attributeTypes[tunnel],
      pools: eligible,
    });
    wanted[tunnel] = address === undefined ? undefined : formatAddress(address);
  }
  await writeNode(store, node, wanted);
}

function isEligible(text: string, pools: readonly Prefix[]): boolean {
  const address = parseAddress(text);
  return address !== undefined && pools.some((pool) => prefixContains(pool, address));
}

function withAddresses(node: Node, wanted: Partial<Record<Tunnel, string | undefined>>): Node {
  const { ipv4VXLANTunnelAddr: _, ipv6VXLANTunnelAddr: __, bgp, ...spec } = node.spec;
  const { ipv4IPIPTunnelAddr: ___, ...otherBgp } = bgp ?? {};
  const chosen = (tunnel: Tunnel) =>
    tunnel in wanted ? wanted[tunnel] : storedAddress(node, tunnel);
  const ipip = chosen("ipip");
  const vxlan = chosen("vxlan");
  const vxlan6 = chosen("vxlan-v6");
  const newBgp = { ...otherBgp, ...(ipip && { ipv4IPIPTunnelAddr: ipip }) };
  return {
    ...node,
    spec: {
      ...spec,
      ...(Object.keys(newBgp).length > 0 && { bgp: newBgp }),
      ...(vxlan && { ipv4VXLANTunnelAddr: vxlan }),
      ...(vxlan6 && { ipv6VXLANTunnelAddr: vxlan6 }),
    },
  };
}

async function writeNode(
  store: Datastore,
  node: Node,
  wanted: Partial<Record<Tunnel, string | undefined>>,
): Promise<void> {
  let current = node;
  for (let attempt = 0; ; attempt++) {
    const changed = tunnels.some(
      (tunnel) =>
        tunnel in wanted &&
        (wanted[tunnel] || undefined) !== (storedAddress(current, tunnel) || undefined),
    );
    if (!changed) return;
    try {
      await store.update<"Node">(withAddresses(current, wanted));
      return;
    } catch (error) {
      if (!hasCode(error, "RESOURCE_CONFLICT") || attempt >= 5) throw error;
      current = await store.get("Node", node.metadata.name);
    }
  }
}
