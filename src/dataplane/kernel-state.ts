/** What the planner and the agent want to know of a node's kernel, from its tables; pure. */

import {
  type Family,
  familyOf,
  formatPrefix,
  type IpAddress,
  parseAddress,
  prefix,
  prefixCovers,
  SwitchyardError,
} from "../lib/index.ts";
import type { Encapsulation } from "../model/index.ts";
import type { Route } from "../netlink/index.ts";
import type { HostFacts, HostRoute, InterfaceFacts, UplinkFacts } from "../plan/index.ts";
import type { KernelTables } from "./kernel-tables.ts";
import {
  isTunnelDevice,
  isWorkloadDevice,
  type Ownership,
  ownsRoute,
  TUNNEL_DEVICES,
} from "./ownership.ts";

/** @throws PREREQUISITE_MISSING if no device holds one of the node's addresses. */
export function hostFacts(
  tables: KernelTables,
  ownership: Ownership,
  nodeAddresses: readonly string[],
): HostFacts {
  const uplinks = nodeAddresses.map((address) => uplinkOf(tables, address));
  const [first] = uplinks;
  if (first === undefined) throw new RangeError("a node has at least one address");
  const uplink6 = uplinks.find(({ family }) => family === 6)?.uplink;
  return {
    uplink: first.uplink,
    ...(uplink6 && { uplink6 }),
    interfaces: hostInterfaces(tables, ownership),
    routes: hostRoutes(tables, ownership),
  };
}

function uplinkOf(
  tables: KernelTables,
  nodeAddress: string,
): { readonly family: Family; readonly uplink: UplinkFacts } {
  const address = parseAddress(nodeAddress);
  if (address === undefined) {
    throw new SwitchyardError("INVALID_ARGUMENT", `not an IP address: ${nodeAddress}`);
  }
  const { holder, uplink } = holderOf(tables, address);
  if (holder === undefined || uplink === undefined) {
    throw new SwitchyardError(
      "PREREQUISITE_MISSING",
      `find the uplink: no device holds the node's address ${nodeAddress}`,
    );
  }
  const { name, index, mac = "00:00:00:00:00:00", mtu } = uplink;
  const prefixLength = holder.prefix.length;
  return { family: familyOf(address), uplink: { name, index, mac, mtu, prefixLength } };
}

/** While an address moves from one device to another both may have it: the one that works counts. */
function holderOf({ addresses, links }: KernelTables, address: IpAddress) {
  const found = addresses.flatMap((holder) => {
    if (holder.prefix.address !== address) return [];
    const uplink = links.find((link) => link.index === holder.index);
    return uplink === undefined ? [] : [{ holder, uplink }];
  });
  const working = found.find(({ uplink }) => uplink.up && uplink.operState !== "DOWN");
  return working ?? found[0] ?? { holder: undefined, uplink: undefined };
}

function hostInterfaces({ links }: KernelTables, ownership: Ownership): InterfaceFacts[] {
  return links.flatMap(({ name, mtu, operState }) =>
    isTunnelDevice(name) || isWorkloadDevice(ownership, name)
      ? []
      : [{ name, mtu, running: operState === "UP" }],
  );
}

/** On every device, and the way to nobody who is not told by link as well. */
const LINK_LOCAL = prefix("fe80::/10");

/** The host's own routes, the best one of each destination. */
function hostRoutes(tables: KernelTables, ownership: Ownership): HostRoute[] {
  const best = new Map<string, { readonly metric: number; readonly route: HostRoute }>();
  for (const route of foreignRoutes(tables, ownership)) {
    const hop = route.nextHops?.[0] ?? route;
    const device = hop.device === undefined ? undefined : tables.linkName(hop.device);
    if (route.type !== "unicast" || device === undefined || route.flags?.includes("dead")) continue;
    if (isOurs(tables, ownership, route) || prefixCovers(LINK_LOCAL, route.destination)) continue;
    const key = formatPrefix(route.destination);
    const metric = route.metric ?? 0;
    if ((best.get(key)?.metric ?? Number.POSITIVE_INFINITY) <= metric) continue;
    const { gateway } = hop;
    const { destination } = route;
    best.set(key, {
      metric,
      route: { destination, device, ...(gateway === undefined ? {} : { gateway }) },
    });
  }
  return [...best.values()].map((entry) => entry.route);
}

/** All but those that are ours by their protocol, without making objects of these. */
function foreignRoutes(tables: KernelTables, { protocols }: Ownership): Route[] {
  const foreign: Route[] = [];
  tables.routes.visit(({ body, routes }) => {
    if (body === undefined || !protocols.includes(body.protocol)) foreign.push(...routes());
  });
  return foreign;
}

/** Routes over our own devices are no way to a next hop, whoever made them. */
function isOurs(tables: KernelTables, ownership: Ownership, route: Route): boolean {
  const device = route.device === undefined ? undefined : tables.linkName(route.device);
  return (
    ownsRoute(ownership, route, device) ||
    isTunnelDevice(device) ||
    isWorkloadDevice(ownership, device)
  );
}

/** The tunnels that exist and are up. */
export function receivedTunnels(tables: KernelTables): Encapsulation[] {
  return (["ipip", "vxlan", "vxlan-v6"] as const).filter(
    (kind) => tables.linkByName(TUNNEL_DEVICES[kind])?.up ?? false,
  );
}
