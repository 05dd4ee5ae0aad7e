/** NAT of pods that leave the pod network, and who may send us encapsulated packets. */

import { hostPrefix, type Prefix4 } from "../lib/index.ts";
import type { TunnelPlans } from "./tunnels.ts";
import type { FirewallPlan, Snapshot } from "./types.ts";

export function planFirewall(snapshot: Snapshot, tunnels: TunnelPlans): FirewallPlan {
  const { settings, nodes, node: me } = snapshot;
  const pools = snapshot.pools.filter((pool) => !pool.loadBalancerOnly);
  const senders: Prefix4[] = [
    ...nodes.filter((node) => node.name !== me).map((node) => hostPrefix(node.address)),
    ...settings.externalNodes,
  ];
  return {
    pools: pools.map((pool) => pool.cidr),
    masqueradedPools: pools.filter((pool) => pool.natOutgoing).map((pool) => pool.cidr),
    excludedHosts: settings.natExcludesHosts ? nodes.map((node) => node.address) : [],
    ...(settings.natPortRange !== undefined && { natPortRange: settings.natPortRange }),
    ...(settings.natOutgoingAddress !== undefined && {
      natOutgoingAddress: settings.natOutgoingAddress,
    }),
    ...(tunnels.ipip && { ipipSenders: senders }),
    ...(tunnels.vxlan && { vxlanSenders: senders }),
    vxlanPort: settings.vxlanPort,
    tunnels: tunnels.addresses.map((address) => address.device),
  };
}
