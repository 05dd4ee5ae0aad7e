/** The routes of a node: own blocks, own pods, remote blocks, and what the routers advertise. */

import {
  formatAddress,
  formatPrefix,
  hostPrefix,
  type IpAddress,
  isHostPrefix,
  isIpv4,
  prefixFamily,
} from "../lib/index.ts";
import { poolOf, routeSourceOf } from "./destinations.ts";
import { IPIP_DEVICE, VXLAN_DEVICE, VXLAN6_DEVICE } from "./devices.ts";
import { addressOf } from "./families.ts";
import { resolveNextHop, resolveNextHops } from "./next-hop.ts";
import { nodeIndex } from "./node-index.ts";
import type { Destination, RoutePlan, Snapshot } from "./types.ts";

export function planRoutes(snapshot: Snapshot, destinations: readonly Destination[]): RoutePlan[] {
  return [
    ...ownBlockRoutes(snapshot),
    ...workloadRoutes(snapshot),
    ...destinationRoutes(snapshot, destinations),
    ...externalRoutes(snapshot),
  ];
}

/** A packet to a free address of an own block dies here instead of looping to the gateway and back. */
function ownBlockRoutes({ blocks, node, settings }: Snapshot): RoutePlan[] {
  return blocks
    .filter((block) => block.node === node && !isHostPrefix(block.prefix))
    .map((block) => ({
      kind: "blackhole",
      destination: block.prefix,
      scope: "global",
      protocol: settings.bgpProtocol,
      reason: `own block ${formatPrefix(block.prefix)}`,
    }));
}

const RTPROT_BOOT = 3;

function workloadRoutes({ workloads }: Snapshot): RoutePlan[] {
  return workloads.map(({ address, device }) => ({
    kind: "unicast",
    destination: hostPrefix(address),
    device,
    // IPv6 routes have no scope.
    scope: isIpv4(address) ? "link" : "global",
    protocol: RTPROT_BOOT,
    reason: `local pod ${formatAddress(address)}`,
  }));
}

function destinationRoutes(snapshot: Snapshot, destinations: readonly Destination[]): RoutePlan[] {
  const nodes = nodeIndex(snapshot.nodes).byName;
  const { bgpProtocol, datastoreProtocol } = snapshot.settings;
  const routes: RoutePlan[] = [];
  const reached = new Set<IpAddress>();
  for (const { prefix, node: name, chosen } of destinations) {
    const node = nodes.get(name);
    const remote = node && addressOf(node, prefixFamily(prefix));
    if (!remote || chosen === undefined) continue;
    const reason = `block ${formatPrefix(prefix)} on ${name}, ${chosen}`;
    const common = { kind: "unicast", destination: prefix, scope: "global", reason } as const;
    const pool = poolOf(snapshot.pools, prefix);
    const byDatastore = pool && routeSourceOf(pool, snapshot.settings) === "datastore";
    if (chosen === "ipip") {
      routes.push({
        ...common,
        gateway: remote.address,
        device: IPIP_DEVICE,
        onlink: true,
        protocol: byDatastore ? datastoreProtocol : bgpProtocol,
      });
    } else if (chosen === "vxlan" || chosen === "vxlan-v6") {
      // Kept while the tunnel address is being replaced is not possible: there is nowhere to send.
      if (remote.vxlanTunnelAddress === undefined) continue;
      const own = isHostPrefix(prefix) && prefix.address === remote.vxlanTunnelAddress;
      if ((chosen === "vxlan-v6" || own) && !reached.has(remote.vxlanTunnelAddress)) {
        reached.add(remote.vxlanTunnelAddress);
        routes.push(vtepRoute(snapshot, name, remote.vxlanTunnelAddress));
      }
      // A tunnel address that is borrowed, or a block of its own, is no gateway to itself.
      if (own) continue;
      routes.push({
        ...common,
        gateway: remote.vxlanTunnelAddress,
        device: chosen === "vxlan" ? VXLAN_DEVICE : VXLAN6_DEVICE,
        onlink: true,
        protocol: datastoreProtocol,
      });
    } else {
      const way = resolveNextHop(snapshot.host.routes, remote.address);
      const fromDatastore = byDatastore || pool?.vxlanMode !== "Never";
      if (way)
        routes.push({
          ...common,
          ...way,
          protocol: fromDatastore ? datastoreProtocol : bgpProtocol,
        });
    }
  }
  return routes;
}

/**
 * The gateway of IPv6 routes over VXLAN lies inside one of their own destinations. While that is routed
 * another way the kernel refuses the gateway, onlink or not ("Nexthop has invalid gateway or device
 * mismatch", ip6_route_check_nh_onlink, kernel 6.18), so it is made to be on the device by itself, first.
 */
function vtepRoute({ settings }: Snapshot, node: string, address: IpAddress): RoutePlan {
  return {
    kind: "unicast",
    destination: hostPrefix(address),
    device: isIpv4(address) ? VXLAN_DEVICE : VXLAN6_DEVICE,
    scope: isIpv4(address) ? "link" : "global",
    protocol: settings.datastoreProtocol,
    reason: `VXLAN tunnel address of ${node}`,
  };
}

/** What BGP taught beyond the blocks of other nodes: networks of the routers. */
function externalRoutes({
  learned,
  pools,
  nodes,
  host,
  settings,
  node: me,
}: Snapshot): RoutePlan[] {
  const { byAddress } = nodeIndex(nodes);
  const { peerGateways = [] } = settings;
  const routes: RoutePlan[] = [];
  for (const { prefix, nextHop, nextHops = [nextHop] } of learned) {
    // The way to a peer is not for peers to tell.
    if (isHostPrefix(prefix) && peerGateways.some(({ peer }) => peer === prefix.address)) continue;
    const node = byAddress.get(nextHop);
    if (node && (node.name === me || poolOf(pools, prefix))) continue;
    const others = nextHops.filter((each) => byAddress.get(each)?.name !== me);
    const ways = resolveNextHops(host, others);
    if (ways.length === 0) continue;
    routes.push({
      kind: "unicast",
      destination: prefix,
      ...(ways.length === 1 ? ways[0] : { nextHops: ways }),
      scope: "global",
      protocol: settings.bgpProtocol,
      reason: `learned by BGP, next hop ${others.map(formatAddress).join(", ")}`,
    });
  }
  return routes;
}
