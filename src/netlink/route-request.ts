/** RTM_NEWROUTE and RTM_DELROUTE written. */

import { type IpAddress, maskAddress } from "../lib/index.ts";
import {
  AF_INET,
  AF_INET6,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  RT_SCOPE_NOWHERE,
  RTM_DELROUTE,
  RTM_NEWROUTE,
  RTN_UNICAST,
  RTNH_F_ONLINK,
} from "./constants.ts";
import { encodeEncap } from "./encap.ts";
import { formatRoute } from "./format-route.ts";
import { routeTypes, scopes } from "./names.ts";
import { encodeNextHops, gatewayAttributes } from "./next-hop.ts";
import type { LinkName } from "./request.ts";
import { derivedScope, derivedTable } from "./route.ts";
import { routeAttributes, routeLayout } from "./route-attributes.ts";
import { metricsValues } from "./route-metrics.ts";
import type { Request, Route } from "./types.ts";
import { build, type Writer } from "./writer.ts";

interface RouteHeader {
  readonly family: number;
  readonly length: number;
  readonly sourceLength: number;
  readonly tos: number;
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
  writer.u8(header.tos ?? 0);
  writer.u8(table < 256 ? table : 0);
  writer.u8(header.protocol ?? 0);
  writer.u8(header.scope ?? 0);
  writer.u8(header.type ?? 0);
  writer.u32(header.flags ?? 0);
}

type Verb = "add" | "replace" | "append" | "delete";

type RouteKey = Pick<Route, "destination" | "table" | "metric" | "protocol" | "type" | "tos">;

/** Requests for routes come in hundred thousands: bytes and words are made when they are needed. */
class RouteRequest implements Request {
  readonly type: number;
  readonly flags: number;
  readonly layout = routeLayout;
  readonly #verb: Verb;
  readonly #route: Route;
  readonly #linkName: LinkName | undefined;

  constructor(
    verb: Verb,
    flags: number,
    of: { readonly route: Route; readonly linkName: LinkName | undefined },
  ) {
    this.type = verb === "delete" ? RTM_DELROUTE : RTM_NEWROUTE;
    this.flags = flags;
    this.#verb = verb;
    this.#route = of.route;
    this.#linkName = of.linkName;
  }

  write(writer: Writer): void {
    if (this.#verb === "delete") writeKey(writer, this.#route);
    else writeRoute(writer, this.#route);
  }

  get payload(): Uint8Array {
    return build((writer) => this.write(writer));
  }

  get text(): string {
    return `route ${this.#verb} ${formatRoute(this.#route, this.#linkName)}`;
  }
}

const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_METRICS = 8;
const RTA_TABLE = 15;
const RTAX_MTU = 2;

function writeRoute(writer: Writer, route: Route): void {
  const { destination, metric, device, gateway, scope, mtu } = route;
  const { address, length } = destination;
  const table = route.table ?? derivedTable(route.type);
  const family = typeof address === "number" ? AF_INET : AF_INET6;
  const type = route.type === "unicast" ? RTN_UNICAST : routeTypes.number(route.type);
  const scopeNumber = scope === undefined ? derivedScope(route) : scopes.number(scope);
  // struct rtmsg as three words.
  writer.u32(bytes4(family, length, route.from?.length ?? 0, route.tos ?? 0));
  writer.u32(bytes4(table < 256 ? table : 0, route.protocol, scopeNumber, type));
  writer.u32(route.onlink ? RTNH_F_ONLINK : 0);
  // By hand what most routes are made of, by the table the rest (see route-plain.ts).
  writeDestination(writer, address, length);
  if (device !== undefined) writer.attributeU32(RTA_OIF, device);
  if (gateway !== undefined && typeof gateway === typeof address) {
    writeAddressAttribute(writer, RTA_GATEWAY, gateway);
  }
  if (metric) writer.attributeU32(RTA_PRIORITY, metric);
  if (table > 255) writer.attributeU32(RTA_TABLE, table);
  if (mtu !== undefined && route.metrics === undefined) {
    writer.u32(12 | (RTA_METRICS << 16));
    writer.attributeU32(RTAX_MTU, mtu);
  }
  if (!isPlain(route)) writeRest(writer, route);
}

/** Four bytes as one little-endian word; of larger numbers the lowest byte, as writing each would. */
function bytes4(a: number, b: number, c: number, d: number): number {
  return (a & 255) | ((b & 255) << 8) | ((c & 255) << 16) | (d << 24);
}

/** True if nothing is left for the table. */
function isPlain(route: Route): boolean {
  const { gateway } = route;
  return (
    route.source === undefined &&
    route.metrics === undefined &&
    route.nextHops === undefined &&
    route.encap === undefined &&
    route.nextHopId === undefined &&
    route.from === undefined &&
    (gateway === undefined || typeof gateway === typeof route.destination.address)
  );
}

function writeRest(writer: Writer, route: Route): void {
  const family = typeof route.destination.address as "number" | "bigint";
  const tunnel = route.encap && encodeEncap(route.encap);
  const { from, metrics } = route;
  routeAttributes.encode(writer, {
    source: from && from.length > 0 ? maskAddress(from.address, from.length) : undefined,
    via: gatewayAttributes(route.gateway, family).via,
    preferredSource: route.source,
    metrics: metrics && metricsValues(route.mtu, metrics),
    nextHops: route.nextHops && encodeNextHops(route.nextHops, family),
    encapType: tunnel?.type,
    encap: tunnel?.data,
    nextHopId: route.nextHopId,
  });
}

/** The kernel refuses host bits; a prefix with some is what operators write all the same. */
function writeDestination(writer: Writer, address: IpAddress, length: number): void {
  if (length > 0) writeAddressAttribute(writer, RTA_DST, maskAddress(address, length));
}

function writeAddressAttribute(writer: Writer, type: number, address: IpAddress): void {
  if (typeof address === "number") {
    writer.attributeU32be(type, address);
  } else {
    writer.u32(20 | (type << 16));
    writer.u128be(address);
  }
}

function writeKey(writer: Writer, route: RouteKey): void {
  const { address, length } = route.destination;
  const table = route.table ?? derivedTable(route.type);
  writeRouteHeader(writer, {
    family: typeof address === "number" ? AF_INET : AF_INET6,
    length,
    tos: route.tos ?? 0,
    table,
    protocol: route.protocol,
    scope: RT_SCOPE_NOWHERE,
  });
  writeDestination(writer, address, length);
  if (route.metric) writer.attributeU32(RTA_PRIORITY, route.metric);
  if (table > 255) writer.attributeU32(RTA_TABLE, table);
}

/** `ip route add`: refused (EEXIST) where the key is taken. */
export function routeAdd(route: Route, linkName?: LinkName): Request {
  return new RouteRequest("add", NLM_F_CREATE | NLM_F_EXCL, { route, linkName });
}

/**
 * `ip route replace`: one atomic step for all who look the prefix up. The key is table, destination and
 * metric; protocol, type and next hop of what was there do not matter.
 */
export function routeReplace(route: Route, linkName?: LinkName): Request {
  return new RouteRequest("replace", NLM_F_CREATE | NLM_F_REPLACE, { route, linkName });
}

/** `ip route append`: one more with the same key, as IPv6 multipath routes are made of. */
export function routeAppend(route: Route, linkName?: LinkName): Request {
  return new RouteRequest("append", NLM_F_CREATE | NLM_F_APPEND, { route, linkName });
}

/**
 * `ip route delete` of the route with this table, destination, metric and protocol, so that a route
 * somebody else put in its place meanwhile stays; ESRCH if there is none. Type and next hop are not
 * compared. Careful: to the kernel metric 0 means "whichever comes first".
 */
export function routeDelete(route: RouteKey, linkName?: LinkName): Request {
  return new RouteRequest("delete", 0, { route, linkName });
}
