/** Which next hops are reached through which interface: BGP knows a next hop, the host's routes the way to it. */

import {
  bitsOf,
  type Family,
  globPattern,
  type IpAddress,
  type Prefix,
  parsePrefix,
  prefixCovers,
  prefixEquals,
  prefixFamily,
} from "../../lib/index.ts";
import type { HostRoute } from "../../plan/index.ts";

const everything = { 4: parsePrefix("0.0.0.0/0")!, 6: parsePrefix("::/0")! };

/** Prefixes that hold exactly the addresses whose longest route leaves by an interface of such a name. */
export function interfaceRegions(
  routes: readonly HostRoute[],
  glob: string,
  family: Family,
): Prefix[] {
  const pattern = globPattern(glob);
  const known: Route[] = [];
  for (const { destination, device } of routes) {
    if (prefixFamily(destination) !== family) continue;
    // Of several routes to one destination the first is used, as for the routes of pods.
    if (known.some((route) => prefixEquals(route.destination, destination))) continue;
    known.push({ destination, matches: pattern.test(device) });
  }
  return regions(everything[family], known, false);
}

interface Route {
  readonly destination: Prefix;
  readonly matches: boolean;
}

/** Inside `place`; `outer`: what holds there without the routes that are given. */
function regions(place: Prefix, routes: readonly Route[], outer: boolean): Prefix[] {
  const here = routes.find(({ destination }) => destination.length === place.length);
  const matches = here?.matches ?? outer;
  const inside = routes.filter((route) => route !== here);
  if (inside.every((route) => route.matches === matches)) return matches ? [place] : [];
  return halves(place).flatMap((half) => {
    const covered = inside.filter(({ destination }) => prefixCovers(half, destination));
    return regions(half, covered, matches);
  });
}

function halves({ address, length }: Prefix<IpAddress>): Prefix[] {
  const bits = bitsOf(typeof address === "number" ? 4 : 6);
  const rest = bits - length - 1;
  const upper =
    typeof address === "number" ? address + 2 ** rest : (address as bigint) + (1n << BigInt(rest));
  return [
    { address, length: length + 1 },
    { address: upper as IpAddress, length: length + 1 },
  ];
}
