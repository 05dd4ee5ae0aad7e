/**
 * Where the host's routes do not lead to a BGP peer as they should: peers behind a gateway of their own, pods
 * that are peers, and devices by whose networks no next hop is to be looked for.
 */

import { formatAddress, globPattern, hostPrefix } from "../lib/index.ts";
import { resolveNextHop } from "./next-hop.ts";
import type { AddressPlan, HostFacts, HostRoute, RoutePlan, Settings, Snapshot } from "./types.ts";

type WaySettings = Pick<Settings, "peerGateways" | "localPeers" | "ignoredInterfaces">;

/** The host as next hops are to be resolved with it. */
export function withPeerWays<H extends Pick<HostFacts, "routes">>(
  host: H,
  settings: WaySettings,
): H {
  const { peerGateways = [], localPeers = [], ignoredInterfaces = [] } = settings;
  if (peerGateways.length + localPeers.length + ignoredInterfaces.length === 0) return host;
  const patterns = ignoredInterfaces.map(globPattern);
  const routes = host.routes.filter(
    ({ gateway, device }) => gateway !== undefined || !patterns.some((glob) => glob.test(device)),
  );
  const ways = peerGateways.flatMap(({ peer, gateway }): HostRoute[] => {
    const way = resolveNextHop(routes, gateway);
    return way ? [{ destination: hostPrefix(peer), ...way }] : [];
  });
  // Routes of pods are ours, not the host's.
  const pods = localPeers.map(({ address, device }) => ({
    destination: hostPrefix(address),
    device,
  }));
  return { ...host, routes: [...routes, ...ways, ...pods] };
}

/** Of the host, on its ends of the devices of pods that are peers. */
export function localPeerAddresses({ settings }: Snapshot): AddressPlan[] {
  return (settings.localPeers ?? []).flatMap(({ device, hostAddress }): AddressPlan[] =>
    hostAddress === undefined
      ? []
      : [{ device, prefix: hostPrefix(hostAddress), protocol: settings.bgpProtocol }],
  );
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
