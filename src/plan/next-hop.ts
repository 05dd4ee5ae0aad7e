/** The way of the host's own routing table to a next hop: recursive resolution of RFC 4271 5.1.3. */

import { type IpAddress, prefixContains } from "../lib/index.ts";
import type { HostFacts, HostRoute } from "./types.ts";

export interface Way {
  readonly gateway: IpAddress;
  readonly device: string;
}

/**
 * The ways to several next hops, each once, in the order of their gateways. Where there are better ones,
 * none by a device without a carrier (RFC 4271 section 9.1.2: it leads nowhere), nor one that only the
 * default route shows (section 9.1.2.2 e: it is farther, as is that to a router whose link has gone).
 */
export function resolveNextHops(
  { routes, interfaces }: Pick<HostFacts, "routes" | "interfaces">,
  nextHops: readonly IpAddress[],
): readonly Way[] {
  const dark = new Set(interfaces.filter(({ running }) => !running).map(({ name }) => name));
  const found = nextHops.flatMap((nextHop) => {
    const route = longestMatch(routes, nextHop);
    if (route === undefined) return [];
    const worse = dark.has(route.device) || route.destination.length === 0;
    return [{ way: wayBy(route, nextHop), worse }];
  });
  const better = found.filter(({ worse }) => !worse);
  const ways = (better.length > 0 ? better : found).map(({ way }) => way);
  const sorted = ways.sort((a, b) => (a.gateway < b.gateway ? -1 : a.gateway > b.gateway ? 1 : 0));
  return sorted.filter(
    (way, at) => way.gateway !== sorted[at - 1]?.gateway || way.device !== sorted[at - 1]?.device,
  );
}

/** A connected network is reached at the next hop itself. */
export function resolveNextHop(routes: readonly HostRoute[], nextHop: IpAddress): Way | undefined {
  const route = longestMatch(routes, nextHop);
  return route && wayBy(route, nextHop);
}

function longestMatch(routes: readonly HostRoute[], address: IpAddress): HostRoute | undefined {
  let best: HostRoute | undefined;
  for (const route of routes) {
    if (!prefixContains(route.destination, address)) continue;
    if (!best || route.destination.length > best.destination.length) best = route;
  }
  return best;
}

function wayBy({ gateway, device }: HostRoute, nextHop: IpAddress): Way {
  return { gateway: gateway ?? nextHop, device };
}
