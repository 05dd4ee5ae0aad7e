/** The tunnel devices of a node, ready for every encapsulation that it must be able to receive. */

import { hostPrefix } from "../lib/index.ts";
import { remoteBlocks } from "./destinations.ts";
import { IPIP_DEVICE, IPIP_OVERHEAD_BYTES, VXLAN_DEVICE, VXLAN_OVERHEAD_BYTES } from "./devices.ts";
import type { AddressPlan, IpipPlan, NodeFacts, Snapshot, VxlanPlan } from "./types.ts";

export interface TunnelPlans {
  readonly ipip?: IpipPlan;
  readonly vxlan?: VxlanPlan;
  readonly addresses: readonly AddressPlan[];
}

export function planTunnels(snapshot: Snapshot, local: NodeFacts): TunnelPlans {
  const addresses: AddressPlan[] = [];
  const ipip = snapshot.receive.includes("ipip") ? planIpip(snapshot, local) : undefined;
  const vxlan = snapshot.receive.includes("vxlan") ? planVxlan(snapshot, local) : undefined;
  if (ipip && snapshot.ipipTunnelAddress !== undefined) {
    addresses.push({ device: ipip.device, prefix: hostPrefix(snapshot.ipipTunnelAddress) });
  }
  if (vxlan && snapshot.vxlanTunnelAddress !== undefined) {
    addresses.push({ device: vxlan.device, prefix: hostPrefix(snapshot.vxlanTunnelAddress) });
  }
  return { ...(ipip && { ipip }), ...(vxlan && { vxlan }), addresses };
}

/**
 * The destinations hold every remote block, whatever carries it now: an entry must be there before
 * the route that leads to it, and as long as a packet may be on its way after the route has gone.
 */
function planIpip(snapshot: Snapshot, local: NodeFacts): IpipPlan {
  const { uplink } = snapshot.host;
  return {
    device: IPIP_DEVICE,
    mtu: snapshot.settings.ipipMtu || uplink.mtu - IPIP_OVERHEAD_BYTES,
    local: local.address,
    uplink: uplink.name,
    accept: true,
    senders: others(snapshot).map((node) => node.address),
    destinations: remoteBlocks(snapshot).map(({ prefix, node }) => ({
      prefix,
      node: node.address,
    })),
  };
}

function planVxlan(snapshot: Snapshot, local: NodeFacts): VxlanPlan {
  const { uplink } = snapshot.host;
  return {
    device: VXLAN_DEVICE,
    vni: snapshot.settings.vxlanVni,
    port: snapshot.settings.vxlanPort,
    local: local.address,
    parent: uplink.name,
    mac: local.vxlanMac,
    mtu: snapshot.settings.vxlanMtu || uplink.mtu - VXLAN_OVERHEAD_BYTES,
    neighbours: others(snapshot).flatMap((node) =>
      node.vxlanTunnelAddress === undefined
        ? []
        : [{ address: node.vxlanTunnelAddress, mac: node.vxlanMac, node: node.address }],
    ),
  };
}

function others({ nodes, node: me }: Snapshot): NodeFacts[] {
  return nodes.filter((node) => node.name !== me);
}
