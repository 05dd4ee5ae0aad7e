/** RTM_NEWROUTE and RTM_DELROUTE written. */

import { familyOf, maskAddress } from "../lib/index.ts";
import {
  familyNumber,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  RT_SCOPE_NOWHERE,
  RTM_DELROUTE,
  RTM_NEWROUTE,
  RTNH_F_ONLINK,
} from "./constants.ts";
import { formatRoute } from "./format-route.ts";
import { routeTypes, scopes } from "./names.ts";
import { encodeNextHops, gatewayAttributes } from "./next-hop.ts";
import { type LinkName, request } from "./request.ts";
import { derivedScope, derivedTable } from "./route.ts";
import { routeAttributes } from "./route-attributes.ts";
import type { Request, Route } from "./types.ts";
import { build, type Writer } from "./writer.ts";

interface RouteHeader {
  readonly family: number;
  readonly length: number;
  readonly sourceLength: number;
  readonly table: number;
  readonly protocol: number;
  readonly scope: number;
  readonly type: number;
  readonly flags: number;
}

/** struct rtmsg. Tables above 255 go into RTA_TABLE only. */
export function writeRouteHeader(writer: Writer, header: Partial<RouteHeader>): void {
  const { table = 0 } = header;
  writer.u8(header.family ?? 0);
  writer.u8(header.length ?? 0);
  writer.u8(header.sourceLength ?? 0);
  writer.u8(0); // tos
  writer.u8(table < 256 ? table : 0);
  writer.u8(header.protocol ?? 0);
  writer.u8(header.scope ?? 0);
  writer.u8(header.type ?? 0);
  writer.u32(header.flags ?? 0);
}

function newRoute(verb: string, flags: number, route: Route, linkName?: LinkName): Request {
  const { address, length } = route.destination;
  const family = typeof address as "number" | "bigint";
  const table = route.table ?? derivedTable(route.type);
  const nextHops = route.nextHops && encodeNextHops(route.nextHops, family);
  const payload = build((writer) => {
    writeRouteHeader(writer, {
      family: familyNumber(familyOf(address)),
      length,
      table,
      protocol: route.protocol,
      scope: route.scope === undefined ? derivedScope(route) : scopes.number(route.scope),
      type: routeTypes.number(route.type),
      flags: route.onlink ? RTNH_F_ONLINK : 0,
    });
    routeAttributes.encode(writer, {
      // The kernel refuses host bits; a prefix with some is what operators write all the same.
      destination: length > 0 ? maskAddress(address, length) : undefined,
      ...gatewayAttributes(route.gateway, family),
      device: route.device,
      metric: route.metric || undefined,
      preferredSource: route.source,
      metrics: route.mtu === undefined ? undefined : { mtu: route.mtu },
      nextHops,
      table: table < 256 ? undefined : table,
    });
  });
  const text = () => `route ${verb} ${formatRoute(route, linkName)}`;
  return request({ type: RTM_NEWROUTE, flags, payload, text });
}

/** `ip route add`: refused (EEXIST) where the key is taken. */
export function routeAdd(route: Route, linkName?: LinkName): Request {
  return newRoute("add", NLM_F_CREATE | NLM_F_EXCL, route, linkName);
}

/**
 * `ip route replace`: one atomic step for all who look the prefix up. The key is table, destination and
 * metric; protocol, type and next hop of what was there do not matter.
 */
export function routeReplace(route: Route, linkName?: LinkName): Request {
  return newRoute("replace", NLM_F_CREATE | NLM_F_REPLACE, route, linkName);
}

/**
 * `ip route delete` of the route with this table, destination, metric and protocol, so that a route
 * somebody else put in its place meanwhile stays; ESRCH if there is none. Type and next hop are not
 * compared. Careful: to the kernel metric 0 means "whichever comes first".
 */
export function routeDelete(
  route: Pick<Route, "destination" | "table" | "metric" | "protocol" | "type">,
  linkName?: LinkName,
): Request {
  const { address, length } = route.destination;
  const table = route.table ?? derivedTable(route.type);
  const payload = build((writer) => {
    writeRouteHeader(writer, {
      family: familyNumber(familyOf(address)),
      length,
      table,
      protocol: route.protocol,
      scope: RT_SCOPE_NOWHERE,
    });
    routeAttributes.encode(writer, {
      destination: length > 0 ? maskAddress(address, length) : undefined,
      metric: route.metric || undefined,
      table: table < 256 ? undefined : table,
    });
  });
  const text = () => `route delete ${formatRoute(route, linkName)}`;
  return request({ type: RTM_DELROUTE, flags: 0, payload, text });
}
