/**
 * Plain packets between subnets pass a router, which must know where each block is. It does if it peers with the
 * node; whether somebody gave it static routes cannot be seen from here, only proved.
 */

import { formatAddress, type IpAddress, parseAddress } from "../../../lib/index.ts";
import { resolveNextHop } from "../../../plan/index.ts";
import { addressIn, hostRoutes, subnetOf } from "../context.ts";
import type { Finding, TrapContext, TrapKind, TrapNode } from "../types.ts";
import { nodesListed } from "../words.ts";

const MESH = "node-to-node mesh";

export const routerWithoutRoutes: TrapKind = {
  code: "ROUTER_WITHOUT_ROUTES",
  meaning:
    "In mode `none` packets of pods between subnets go to a router, with pods' addresses. A router that no node peers with does not know the blocks and drops them, or sends them round in circles.",
  remedy:
    "Let the nodes of every subnet peer with its router (BGPPeer with peerIP and nodeSelector), or choose `ipip-cross-subnet` or `vxlan-cross-subnet`. Static routes to every block do too: then accept this trap, the proof shows it.",
  find: (context) => {
    if (context.to !== "none") return [];
    const subnets = new Set(context.nodes.flatMap((node) => subnetOf(context, node) ?? []));
    if (subnets.size < 2) return [];
    const strangers: { node: TrapNode; gateway: string }[] = [];
    const elsewhere: { node: TrapNode; gateway: string }[] = [];
    const known = new Set(context.nodes.flatMap((node) => addressIn(context, node)?.address ?? []));
    const ways = farSubnets(context);
    for (const node of context.nodes) {
      if (!node.host) continue;
      const gateways = [...gatewaysOf(context, node, ways)];
      const routers = (node.host.bgp?.peers ?? []).filter(({ address, kind, state }) => {
        const parsed = parseAddress(address);
        const isNode = parsed !== undefined && known.has(parsed);
        return kind !== MESH && state === "Established" && !isNode;
      });
      const unknown = gateways.find(
        (gateway) => !routers.some(({ address }) => address === gateway),
      );
      if (unknown === undefined) continue;
      (routers.length > 0 ? elsewhere : strangers).push({ node, gateway: unknown });
    }
    const finding = (found: typeof strangers, severity: Finding["severity"], words: string) => {
      const [first] = found;
      if (!first) return [];
      const names = found.map(({ node }) => node.name);
      const message = `${nodesListed(names)}: the way to other subnets is by ${first.gateway} (${first.node.name}), ${words}`;
      return [{ severity, message, nodes: names }];
    };
    return [
      ...finding(
        strangers,
        "refuse",
        "and no router is told of the blocks: no BGP session with one is Established",
      ),
      ...finding(
        elsewhere,
        "warn",
        "which is none of the BGP peers: whether it hears of the blocks from these is not known",
      ),
    ];
  },
};

/** One node's address of each subnet: ways differ by subnet, and there are few of these. */
function farSubnets(context: TrapContext): ReadonlyMap<string, IpAddress> {
  const found = new Map<string, IpAddress>();
  for (const node of context.nodes) {
    const subnet = subnetOf(context, node);
    const address = addressIn(context, node)?.address;
    if (subnet !== undefined && address !== undefined) found.set(subnet, address);
  }
  return found;
}

function gatewaysOf(
  context: TrapContext,
  node: TrapNode,
  subnets: ReadonlyMap<string, IpAddress>,
): Set<string> {
  const own = subnetOf(context, node);
  const routes = hostRoutes(node);
  const gateways = new Set<string>();
  for (const [subnet, address] of subnets) {
    const way = subnet === own ? undefined : resolveNextHop(routes, address);
    // Without a gateway the far node itself is the next hop.
    if (way && way.gateway !== address) gateways.add(formatAddress(way.gateway));
  }
  return gateways;
}
