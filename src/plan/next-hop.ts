/** The way of the host's own routing table to a next hop: recursive resolution of RFC 4271 5.1.3. */

import { type IpAddress, prefixContains } from "../lib/index.ts";
import type { HostRoute } from "./types.ts";

export interface Way {
  readonly gateway: IpAddress;
  readonly device: string;
}

/** The ways to several next hops, each once, in the order of their gateways. */
export function resolveNextHops(
  routes: readonly HostRoute[],
  nextHops: readonly IpAddress[],
): readonly Way[] {
  const ways = nextHops.flatMap((nextHop) => resolveNextHop(routes, nextHop) ?? []);
  const sorted = ways.sort((a, b) => (a.gateway < b.gateway ? -1 : a.gateway > b.gateway ? 1 : 0));
  return sorted.filter(
    (way, at) => way.gateway !== sorted[at - 1]?.gateway || way.device !== sorted[at - 1]?.device,
  );
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
