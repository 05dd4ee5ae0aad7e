/** NAT of pods that leave the pod network, and who may send us encapsulated packets. */

import {
  type Family,
  familyOf,
  hostPrefix,
  type IpAddress,
  type Prefix,
  prefixFamily,
} from "../lib/index.ts";
import { addressOf } from "./families.ts";
import type { TunnelPlans } from "./tunnels.ts";
import type { FirewallPlan, NodeFacts, Snapshot } from "./types.ts";

/** The rules of one family. */
export function planFirewall(
  snapshot: Snapshot,
  tunnels: TunnelPlans,
  family: Family,
): FirewallPlan {
  const { settings, nodes, node: me, probeAddress } = snapshot;
  const ours = (prefix: Prefix) => prefixFamily(prefix) === family;
  const pools = snapshot.pools.filter((pool) => !pool.loadBalancerOnly && ours(pool.cidr));
  const senders: Prefix[] = [
    ...nodeAddresses(
      nodes.filter((node) => node.name !== me),
      family,
    ).map((address) => hostPrefix(address)),
    ...settings.externalNodes.filter(ours),
  ];
  const { natPortRange, natOutgoingAddress, unserved } = settings;
  const cidrs = unserved?.cidrs.filter(ours) ?? [];
  const vxlan = family === 4 ? tunnels.vxlan : tunnels.vxlan6;
  return {
    pools: pools.map((pool) => pool.cidr),
    masqueradedPools: pools.filter((pool) => pool.natOutgoing).map((pool) => pool.cidr),
    excludedHosts: settings.natExcludesHosts ? nodeAddresses(nodes, family) : [],
    ...(natPortRange !== undefined && { natPortRange }),
    ...(natOutgoingAddress !== undefined &&
      familyOf(natOutgoingAddress) === family && { natOutgoingAddress }),
    ...(family === 4 && tunnels.ipip && { ipipSenders: senders }),
    ...(vxlan && { vxlanSenders: senders }),
    vxlanPort: settings.vxlanPort,
    ...(unserved && cidrs.length > 0 && { unserved: { ...unserved, cidrs } }),
    tunnels: tunnels.addresses
      .filter((address) => ours(address.prefix))
      .map((address) => address.device),
    ...(probeAddress !== undefined && familyOf(probeAddress) === family && { probeAddress }),
  };
}

function nodeAddresses(nodes: readonly NodeFacts[], family: Family): IpAddress[] {
  return nodes.flatMap((node) => addressOf(node, family)?.address ?? []);
}
