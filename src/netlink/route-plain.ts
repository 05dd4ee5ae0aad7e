/**
 * The short way to read a route: by hand, for the attributes that nearly all routes are made of. A table
 * has a hundred thousand of these; the tables of route-attributes.ts, which tell the names of what is
 * wrong, read each in ten times the time. What this does not know it leaves to them.
 */

import type { IpAddress } from "../lib/index.ts";
import { AF_INET, AF_INET6, RTNH_F_ONLINK } from "./constants.ts";
import type { Message } from "./message.ts";
import { routeTypeNames, scopeNames } from "./names.ts";
import { RTMSG_BYTES } from "./route-attributes.ts";
import type { Route, RouteType } from "./types-route.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_PREFSRC = 7;
const RTA_METRICS = 8;
const RTA_CACHEINFO = 12;
const RTA_TABLE = 15;
const RTA_PREF = 20;

/** ICMPV6_ROUTER_PREF_*: two bits, signed. */
export const preferenceNames = ["medium", "high", "medium", "low"] as const;

/** `undefined` for a route that has anything else than the plain attributes, or is malformed. */
export function decodePlainRoute({ view, start, end }: Message): Route | undefined {
  if (end - start < RTMSG_BYTES) return undefined;
  const family = view.getUint8(start);
  const ipv4 = family === AF_INET;
  if (!ipv4 && family !== AF_INET6) return undefined;
  const bytes = ipv4 ? 4 : 16;
  const length = view.getUint8(start + 1);
  const flags = view.getUint32(start + 8, true);
  // Source prefix, type of service and states of links are rare.
  if (view.getUint16(start + 2, true) !== 0 || (flags & ~RTNH_F_ONLINK) !== 0) return undefined;
  if (length > bytes * 8) return undefined;
  let destination: IpAddress | undefined;
  let device: number | undefined;
  let gateway: IpAddress | undefined;
  let metric = 0;
  let source: IpAddress | undefined;
  let mtu: number | undefined;
  let table = view.getUint8(start + 4);
  let preference: string | undefined;
  for (let at = start + RTMSG_BYTES; at < end; ) {
    if (end - at < 4) return undefined;
    const size = view.getUint16(at, true);
    if (size < 4 || size > end - at) return undefined;
    const number = size === 8;
    switch (view.getUint16(at + 2, true)) {
      case RTA_DST:
        if (size !== 4 + bytes) return undefined;
        destination = readAddress(view, at + 4, ipv4);
        break;
      case RTA_GATEWAY:
        if (size !== 4 + bytes) return undefined;
        gateway = readAddress(view, at + 4, ipv4);
        break;
      case RTA_PREFSRC:
        if (size !== 4 + bytes) return undefined;
        source = readAddress(view, at + 4, ipv4);
        break;
      case RTA_OIF:
        if (!number) return undefined;
        device = view.getUint32(at + 4, true);
        break;
      case RTA_PRIORITY:
        if (!number) return undefined;
        metric = view.getUint32(at + 4, true);
        break;
      case RTA_TABLE:
        if (!number) return undefined;
        table = view.getUint32(at + 4, true);
        break;
      case RTA_METRICS:
        // Only an RTAX_MTU in it.
        if (size !== 12 || view.getUint32(at + 4, true) !== 0x2_0008) return undefined;
        mtu = view.getUint32(at + 8, true);
        break;
      case RTA_PREF:
        if (size !== 5) return undefined;
        preference = preferenceNames[view.getUint8(at + 4) & 3];
        break;
      case RTA_CACHEINFO: // of each IPv6 route: ages and errors, which nobody here reads
        break;
      default:
        return undefined;
    }
    at += (size + 3) & ~3;
  }
  if (destination === undefined) destination = (ipv4 ? 0 : 0n) as IpAddress;
  // Shape built by hand and in one order: a dump has many of these.
  const route: Mutable<Route> = {
    type: routeTypeNames[view.getUint8(start + 7)] as RouteType,
    destination: { address: destination, length } as Route["destination"],
    table,
    metric,
    protocol: view.getUint8(start + 5),
    scope: scopeNames[view.getUint8(start + 6)]!,
  };
  if (gateway !== undefined) route.gateway = gateway;
  if (device !== undefined) route.device = device;
  if (source !== undefined) route.source = source;
  if (mtu !== undefined) route.mtu = mtu;
  if (flags !== 0) route.onlink = true;
  if (preference !== undefined) route.preference = preference;
  return route;
}

function readAddress(view: DataView, at: number, ipv4: boolean): IpAddress {
  return (
    ipv4 ? view.getUint32(at) : (view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8)
  ) as IpAddress;
}
