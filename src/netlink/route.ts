/** RTM_NEWROUTE read, and what makes two routes the same. */

import {
  bitsOf,
  type Family,
  type IpAddress,
  maskPrefix,
  type Prefix,
  prefixFamily,
} from "../lib/index.ts";
import {
  AF_INET,
  AF_INET6,
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RT_SCOPE_UNIVERSE,
  RT_TABLE_LOCAL,
  RT_TABLE_MAIN,
  RTM_F_CLONED,
  RTNH_F_ONLINK,
} from "./constants.ts";
import { decodeEncap } from "./encap.ts";
import { headerEnd } from "./header.ts";
import { malformed } from "./malformed.ts";
import type { Message } from "./message.ts";
import { flagNames, routeTypeNames, scopeNames, scopes } from "./names.ts";
import { decodeNextHops } from "./next-hop.ts";
import { nextHopFlags, RTMSG_BYTES, routeAttributes } from "./route-attributes.ts";
import { metricsFrom } from "./route-metrics.ts";
import { decodePlainRoute, preferenceNames } from "./route-plain.ts";
import type { Route, RouteType } from "./types.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** RTM_F_CLONED: the kernel's answer to one lookup, not an entry of a table. */
export function isCloned({ view, start, end }: Message): boolean {
  if (end - start < RTMSG_BYTES) return false;
  return (view.getUint32(start + 8, true) & RTM_F_CLONED) !== 0;
}

/** @throws NETLINK_MALFORMED. */
export function decodeRoute(message: Message): Route {
  return decodePlainRoute(message) ?? decodeAnyRoute(message);
}

/** The long way, by the table, for every route there is. @throws NETLINK_MALFORMED. */
export function decodeAnyRoute(message: Message): Route {
  const { view, start, end } = message;
  const from = headerEnd(message, "struct rtmsg", RTMSG_BYTES);
  const familyCode = view.getUint8(start);
  if (familyCode !== AF_INET && familyCode !== AF_INET6) {
    throw malformed(`route of family ${familyCode}`, view, start, end);
  }
  const family: Family = familyCode === AF_INET ? 4 : 6;
  const length = view.getUint8(start + 1);
  const values = routeAttributes.decode(view, from, end);
  const destination = values.destination ?? ((family === 4 ? 0 : 0n) as IpAddress);
  if (length > bitsOf(family) || (typeof destination === "number") !== (family === 4)) {
    throw malformed("route with a bad destination", view, start, end);
  }
  const fromLength = view.getUint8(start + 2);
  if (fromLength > bitsOf(family) || typeof (values.source ?? destination) !== typeof destination) {
    throw malformed("route with a bad source prefix", view, start, end);
  }
  const route: Mutable<Route> = {
    type: routeTypeNames[view.getUint8(start + 7)] as RouteType,
    destination: { address: destination, length } as Prefix,
    table: values.table ?? view.getUint8(start + 4),
    metric: values.metric ?? 0,
    protocol: view.getUint8(start + 5),
    scope: scopeNames[view.getUint8(start + 6)]!,
  };
  const gateway = values.gateway ?? values.via;
  if (gateway !== undefined) route.gateway = gateway;
  if (values.device !== undefined) route.device = values.device;
  if (values.preferredSource !== undefined) route.source = values.preferredSource;
  if (values.metrics?.mtu !== undefined) route.mtu = values.metrics.mtu;
  const metrics = values.metrics && metricsFrom(values.metrics);
  if (metrics !== undefined) route.metrics = metrics;
  const tos = view.getUint8(start + 3);
  if (tos !== 0) route.tos = tos;
  if (fromLength > 0) {
    const address = values.source ?? ((family === 4 ? 0 : 0n) as IpAddress);
    route.from = { address, length: fromLength } as Prefix;
  }
  if (values.nextHopId !== undefined) route.nextHopId = values.nextHopId;
  if (values.encap !== undefined) {
    route.encap = decodeEncap(values.encapType ?? 0, values.encap);
  }
  const bits = view.getUint32(start + 8, true);
  if ((bits & RTNH_F_ONLINK) !== 0) route.onlink = true;
  let flags = flagNames(bits, nextHopFlags);
  if (values.nextHops !== undefined) {
    const decoded = decodeNextHops(values.nextHops);
    route.nextHops = decoded.nextHops;
    flags = [...new Set([...flags, ...decoded.flags])];
  }
  if (flags.length > 0) route.flags = flags;
  if (values.preference !== undefined) route.preference = preferenceNames[values.preference & 3]!;
  return route;
}

/** The scope a route gets when none is told: what `ip route add` would choose. */
export function derivedScope(
  route: Pick<Route, "type" | "destination" | "gateway" | "nextHops" | "nextHopId">,
) {
  if (prefixFamily(route.destination) === 6) return RT_SCOPE_UNIVERSE;
  switch (route.type) {
    case "local":
      return RT_SCOPE_HOST;
    case "broadcast":
    case "multicast":
    case "anycast":
      return RT_SCOPE_LINK;
    case "unicast":
      return route.gateway === undefined &&
        route.nextHops === undefined &&
        route.nextHopId === undefined
        ? RT_SCOPE_LINK
        : RT_SCOPE_UNIVERSE;
    default:
      return RT_SCOPE_UNIVERSE;
  }
}

/** The table a route gets when none is told. */
export function derivedTable(type: RouteType): number {
  const local = type === "local" || type === "broadcast" || type === "anycast";
  return local ? RT_TABLE_LOCAL : RT_TABLE_MAIN;
}

/** IP6_RT_PRIO_USER: the metric the kernel gives an IPv6 route that has none. */
const IPV6_DEFAULT_METRIC = 1024;

/**
 * A route as the kernel would give it back: defaults filled in, destination masked, and without what is
 * only read. Two routes are the same if their normal forms are deeply equal.
 */
export function normalizeRoute(route: Route): Route {
  const ipv6 = prefixFamily(route.destination) === 6;
  const { flags: _flags, preference: _preference, ...rest } = route;
  const normal: Mutable<Route> = {
    ...rest,
    destination: maskPrefix(route.destination),
    table: route.table ?? derivedTable(route.type),
    metric: route.metric || (ipv6 ? IPV6_DEFAULT_METRIC : 0),
    scope: route.scope ?? scopes.name(derivedScope(route)),
  };
  if (!normal.onlink) delete normal.onlink;
  if (!normal.tos) delete normal.tos;
  if (normal.from !== undefined) {
    if (normal.from.length === 0) delete normal.from;
    else normal.from = maskPrefix(normal.from);
  }
  // What the kernel shows beside the id of a nexthop object is the object's, and changes with it.
  if (normal.nextHopId !== undefined) {
    delete normal.gateway;
    delete normal.device;
    delete normal.nextHops;
    delete normal.encap;
    delete normal.onlink;
  }
  // The kernel hangs IPv6 blackholes and the like on `lo`.
  if (ipv6 && route.type !== "unicast" && route.type !== "local") delete normal.device;
  if (route.nextHops) {
    normal.nextHops = route.nextHops.map(({ onlink, weight = 1, ...hop }) => ({
      ...hop,
      weight,
      ...(onlink ? { onlink } : {}),
    }));
  }
  return normal;
}

/** Text that is equal for routes with the same kernel key: table, destination, metric, and if told tos and source prefix. */
export function routeKey(route: Route): string {
  const { type, destination, tos, from } = route;
  const { address, length } = maskPrefix(destination);
  const metric = route.metric || (typeof address === "bigint" ? IPV6_DEFAULT_METRIC : 0);
  const key = `${route.table ?? derivedTable(type)} ${address}/${length} ${metric}`;
  if (!tos && !from?.length) return key;
  const prefix = from && maskPrefix(from);
  return `${key} tos ${tos ?? 0} from ${prefix ? `${prefix.address}/${prefix.length}` : "-"}`;
}
