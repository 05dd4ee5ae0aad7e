/**
 * Where the host's routes do not lead to a BGP peer as they should: peers behind a gateway of their own, and
 * devices by whose networks no next hop is to be looked for.
 */

import { formatAddress, globPattern, hostPrefix } from "../lib/index.ts";
import { resolveNextHop } from "./next-hop.ts";
import type { HostFacts, HostRoute, RoutePlan, Settings, Snapshot } from "./types.ts";

type WaySettings = Pick<Settings, "peerGateways" | "ignoredInterfaces">;

/** The host as next hops are to be resolved with it. */
export function withPeerWays<H extends Pick<HostFacts, "routes">>(
  host: H,
  settings: WaySettings,
): H {
  const { peerGateways = [], ignoredInterfaces = [] } = settings;
  if (peerGateways.length + ignoredInterfaces.length === 0) return host;
  const patterns = ignoredInterfaces.map(globPattern);
  const routes = host.routes.filter(
    ({ gateway, device }) => gateway !== undefined || !patterns.some((glob) => glob.test(device)),
  );
  const ways = peerGateways.flatMap(({ peer, gateway }): HostRoute[] => {
    const way = resolveNextHop(routes, gateway);
    return way ? [{ destination: hostPrefix(peer), ...way }] : [];
  });
  return { ...host, routes: [...routes, ...ways] };
}

/** None for a gateway that cannot be reached itself. */
export function peerGatewayRoutes({ host, settings }: Snapshot): RoutePlan[] {
  return (settings.peerGateways ?? []).flatMap(({ peer, gateway, reason }): RoutePlan[] => {
    const way = resolveNextHop(host.routes, gateway);
    if (way === undefined) return [];
    return [
      {
        ...{ kind: "unicast", destination: hostPrefix(peer), ...way, scope: "global" },
        protocol: settings.bgpProtocol,
        reason: `BGP peer ${formatAddress(peer)}: ${reason}`,
      },
    ];
  });
}
