/** The tunnel devices of a node, ready for every encapsulation that it must be able to receive. */

import {
  type Family,
  formatPrefix,
  hostPrefix,
  type IpAddress,
  type Ipv4,
  isPrefix4,
} from "../lib/index.ts";
import { remoteBlocks } from "./destinations.ts";
import { IPIP_DEVICE, VXLAN_DEVICE, VXLAN6_DEVICE } from "./devices.ts";
import { addressOf, uplinkOf } from "./families.ts";
import { encapsulationMtus } from "./mtu.ts";
import { proofDestinations, proofNeighbours } from "./proof.ts";
import type {
  AddressPlan,
  IpipPlan,
  NodeAddress,
  NodeFacts,
  Snapshot,
  VxlanPlan,
} from "./types.ts";

export interface TunnelPlans {
  readonly ipip?: IpipPlan;
  readonly vxlan?: VxlanPlan;
  readonly vxlan6?: VxlanPlan;
  readonly addresses: readonly AddressPlan[];
}

export function planTunnels(snapshot: Snapshot, local: NodeFacts): TunnelPlans {
  const { ipv4, ipv6 } = local;
  const receives = (tunnel: Snapshot["receive"][number]) => snapshot.receive.includes(tunnel);
  const ipip = ipv4 && receives("ipip") ? planIpip(snapshot, local, ipv4) : undefined;
  const vxlan = ipv4 && receives("vxlan") ? planVxlan(snapshot, ipv4, 4) : undefined;
  const vxlan6 = ipv6 && receives("vxlan-v6") ? planVxlan6(snapshot, local, ipv6) : undefined;
  return {
    ...(ipip && { ipip }),
    ...(vxlan && { vxlan }),
    ...(vxlan6 && { vxlan6 }),
    addresses: [
      ...tunnelAddress(ipip, snapshot.ipipTunnelAddress),
      ...tunnelAddress(vxlan, snapshot.vxlanTunnelAddress),
      ...tunnelAddress(vxlan6, snapshot.vxlan6TunnelAddress),
    ],
  };
}

function tunnelAddress(
  tunnel: { readonly device: string } | undefined,
  address: IpAddress | undefined,
): AddressPlan[] {
  if (!tunnel || address === undefined) return [];
  return [{ device: tunnel.device, prefix: hostPrefix(address) }];
}

/**
 * The destinations hold every remote block, whatever carries it now: an entry must be there before
 * the route that leads to it, and as long as a packet may be on its way after the route has gone.
 */
function planIpip(
  snapshot: Snapshot,
  node: NodeFacts,
  local: NonNullable<NodeFacts["ipv4"]>,
): IpipPlan {
  const { uplink } = snapshot.host;
  return {
    device: IPIP_DEVICE,
    mtu: encapsulationMtus(snapshot.host, snapshot.settings).ipip,
    local: local.address,
    uplink: uplink.name,
    accept: true,
    senders: ipipSenders(snapshot),
    destinations: withProofs(ipipDestinations(snapshot), proofDestinations(snapshot, node)),
  };
}

/**
 * Nodes, and those of `externalNodesList` that are single addresses: the device looks a sender up by its
 * address. Ranges are known to the firewall only, so that the kernel's module takes them and BPF does not.
 */
function ipipSenders(snapshot: Snapshot): Ipv4[] {
  const nodes = others(snapshot).flatMap(({ ipv4 }) => ipv4?.address ?? []);
  const external = snapshot.settings.externalNodes
    .filter(isPrefix4)
    .flatMap(({ address, length }) => (length === 32 ? [address] : []));
  return [...new Set([...nodes, ...external])];
}

/** A probe address may be borrowed, and then is among the blocks already. */
export function withProofs(
  blocks: IpipPlan["destinations"],
  proofs: IpipPlan["destinations"],
): IpipPlan["destinations"] {
  if (proofs.length === 0) return blocks;
  const known = new Set(blocks.map(({ prefix }) => formatPrefix(prefix)));
  return [...blocks, ...proofs.filter(({ prefix }) => !known.has(formatPrefix(prefix)))];
}

export function ipipDestinations(snapshot: Snapshot): IpipPlan["destinations"] {
  return remoteBlocks(snapshot).flatMap(({ prefix, node: { ipv4 } }) =>
    isPrefix4(prefix) && ipv4 ? [{ prefix, node: ipv4.address }] : [],
  );
}

function planVxlan6(snapshot: Snapshot, node: NodeFacts, local: NodeAddress): VxlanPlan {
  const vxlan = planVxlan(snapshot, local, 6);
  return { ...vxlan, neighbours: [...vxlan.neighbours, ...proofNeighbours(snapshot, node)] };
}

function planVxlan(snapshot: Snapshot, local: NodeAddress, family: Family): VxlanPlan {
  const { settings, host } = snapshot;
  const uplink = uplinkOf(host, family);
  return {
    device: family === 4 ? VXLAN_DEVICE : VXLAN6_DEVICE,
    vni: settings.vxlanVni,
    port: settings.vxlanPort,
    local: local.address,
    parent: uplink.name,
    mac: local.vxlanMac,
    mtu: encapsulationMtus(host, settings)[family === 4 ? "vxlan" : "vxlan-v6"],
    neighbours: others(snapshot).flatMap((node) => {
      const remote = addressOf(node, family);
      if (remote?.vxlanTunnelAddress === undefined) return [];
      const { vxlanTunnelAddress, vxlanMac, address } = remote;
      return [{ address: vxlanTunnelAddress, mac: vxlanMac, node: address }];
    }),
  };
}

function others({ nodes, node: me }: Snapshot): NodeFacts[] {
  return nodes.filter((node) => node.name !== me);
}
