/** RTM_GETROUTE: dumps of tables, and the kernel's own answer for one packet. */

import { bitsOf, type Family, familyOf, formatAddress, type IpAddress } from "../lib/index.ts";
import { familyNumber, RT_TABLE_MAIN, RTM_F_FIB_MATCH, RTM_GETROUTE } from "./constants.ts";
import type { Message } from "./message.ts";
import { routeTables } from "./names.ts";
import { request } from "./request.ts";
import { decodeRoute, isCloned } from "./route.ts";
import { routeAttributes, routeLayout } from "./route-attributes.ts";
import { writeRouteHeader } from "./route-request.ts";
import type { Request, Route, RouteFilter } from "./types.ts";
import { build } from "./writer.ts";

/** The requests that read all that `filter` wants. */
export function routeDumps(filter: RouteFilter): Request[] {
  const families: Family[] = filter.family === undefined ? [4, 6] : [filter.family];
  return families.map((family) => routeDump(family, filter));
}

/** Reads a route of a dump; undefined if `filter` does not want it. */
export function routeDecoder(filter: RouteFilter): (message: Message) => Route | undefined {
  const { table = RT_TABLE_MAIN, protocol, device } = filter;
  return (message) => {
    if (isCloned(message)) return undefined;
    const route = decodeRoute(message);
    if (table !== 0 && route.table !== table) return undefined;
    if (protocol !== undefined && route.protocol !== protocol) return undefined;
    return device === undefined || usesDevice(route, device) ? route : undefined;
  };
}

function usesDevice(route: Route, device: number): boolean {
  return route.device === device || (route.nextHops ?? []).some((hop) => hop.device === device);
}

/** The kernel filters by table and protocol (strict checking); the caller checks again. */
function routeDump(family: Family, filter: RouteFilter): Request {
  const { table = RT_TABLE_MAIN, protocol } = filter;
  const payload = build((writer) => {
    writeRouteHeader(writer, { family: familyNumber(family), table, protocol: protocol ?? 0 });
    routeAttributes.encode(writer, { table: table < 256 ? undefined : table });
  });
  const text = () => {
    const of =
      table === RT_TABLE_MAIN ? "" : ` table ${table === 0 ? "all" : routeTables.name(table)}`;
    return `${family === 6 ? "-6 " : ""}route show${of}`;
  };
  return request({ type: RTM_GETROUTE, flags: 0, payload, layout: routeLayout, text });
}

export interface LookupOptions {
  /** Source address of the packet. */
  readonly source?: IpAddress;
  /** Firewall mark of the packet. */
  readonly mark?: number;
  /** Index of the device it leaves by. */
  readonly device?: number;
  /** Index of the device it came in by: a forwarding decision. Needs `source`. */
  readonly inputDevice?: number;
  /** Answers with the entry of the table that matched, instead of the packet's own route. */
  readonly entry?: boolean;
}

export function routeLookup(destination: IpAddress, options: LookupOptions): Request {
  const { source, mark, device, inputDevice, entry } = options;
  const family = familyOf(destination);
  const payload = build((writer) => {
    writeRouteHeader(writer, {
      family: familyNumber(family),
      length: bitsOf(family),
      sourceLength: source === undefined ? 0 : bitsOf(family),
      flags: entry ? RTM_F_FIB_MATCH : 0,
    });
    routeAttributes.encode(writer, { destination, source, mark, device, inputDevice });
  });
  const text = () => {
    const from = source === undefined ? "" : ` from ${formatAddress(source)}`;
    return `route get ${formatAddress(destination)}${from}`;
  };
  return request({ type: RTM_GETROUTE, flags: 0, payload, layout: routeLayout, text });
}
