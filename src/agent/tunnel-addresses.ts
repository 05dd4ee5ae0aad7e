/**
 * Keeps the node's tunnel addresses: taken from IPAM when a pool asks for the encapsulation, given
 * back only when the node has stopped receiving it. The Node resource is how others learn them.
 */

import type { Datastore } from "../datastore/index.ts";
import type { Ipam } from "../ipam/index.ts";
import { formatAddress, hasCode, type Ipv4 } from "../lib/index.ts";
import type { IPPool, Node } from "../model/index.ts";
import { eligibleTunnelPools, type Tunnel } from "./tunnel-pools.ts";

export interface TunnelAddressInput {
  readonly node: Node;
  readonly pools: readonly IPPool[];
  /** Tunnels whose device must stay: their addresses are not given back yet. */
  readonly receive: ReadonlySet<string>;
}

const attributeTypes = { ipip: "ipipTunnelAddress", vxlan: "vxlanTunnelAddress" } as const;

/** Allocates and releases as the pools say, then writes the Node once if anything changed. */
export async function syncTunnelAddresses(
  ipam: Ipam,
  store: Datastore,
  { node, pools, receive }: TunnelAddressInput,
): Promise<void> {
  const wanted: Partial<Record<Tunnel, string | undefined>> = {};
  for (const tunnel of ["ipip", "vxlan"] as const) {
    const eligible = eligibleTunnelPools({ pools, labels: node.metadata.labels ?? {}, tunnel });
    if (eligible.length === 0 && (receive.has(tunnel) || !storedAddress(node, tunnel))) continue;
    const address = await ipam.ensureTunnelAddress({
      node: node.metadata.name,
      type: attributeTypes[tunnel],
      pools: eligible,
    });
    wanted[tunnel] = address === undefined ? undefined : formatAddress(address as Ipv4);
  }
  await writeNode(store, node, wanted);
}

function storedAddress(node: Node, tunnel: Tunnel): string | undefined {
  return tunnel === "ipip" ? node.spec.bgp?.ipv4IPIPTunnelAddr : node.spec.ipv4VXLANTunnelAddr;
}

function withAddresses(node: Node, wanted: Partial<Record<Tunnel, string | undefined>>): Node {
  const { ipv4VXLANTunnelAddr, bgp, ...spec } = node.spec;
  const { ipv4IPIPTunnelAddr, ...otherBgp } = bgp ?? {};
  const ipip = "ipip" in wanted ? wanted.ipip : ipv4IPIPTunnelAddr;
  const vxlan = "vxlan" in wanted ? wanted.vxlan : ipv4VXLANTunnelAddr;
  const newBgp = { ...otherBgp, ...(ipip && { ipv4IPIPTunnelAddr: ipip }) };
  return {
    ...node,
    spec: {
      ...spec,
      ...(Object.keys(newBgp).length > 0 && { bgp: newBgp }),
      ...(vxlan && { ipv4VXLANTunnelAddr: vxlan }),
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
    const changed = (["ipip", "vxlan"] as const).some(
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
