/** The way of the host's own routing table to a next hop: recursive resolution of RFC 4271 5.1.3. */

import { type IpAddress, prefixContains } from "../lib/index.ts";
import type { HostRoute } from "./types.ts";

export interface Way {
  readonly gateway: IpAddress;
  readonly device: string;
}

/** Longest match among the host's routes; a connected network is reached at the next hop itself. */
export function resolveNextHop(routes: readonly HostRoute[], nextHop: IpAddress): Way | undefined {
  let best: HostRoute | undefined;
  for (const route of routes) {
    if (!prefixContains(route.destination, nextHop)) continue;
    if (!best || route.destination.length > best.destination.length) best = route;
  }
  return best && { gateway: best.gateway ?? nextHop, device: best.device };
}
