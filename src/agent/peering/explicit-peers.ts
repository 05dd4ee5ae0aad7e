/** Sessions that a BGPPeer gives to the nodes it selects: with an address, or with selected nodes. */

import type { PeerConfig } from "../../bgp/index.ts";
import type { ClusterView } from "../../facts/index.ts";
import { type Family, familyOf, type IpAddress, parseAddress } from "../../lib/index.ts";
import type { BGPPeer } from "../../model/index.ts";
import type { FilterPolicies } from "./filters.ts";
import { DEFAULT_PORT, type Local, localAddress, sessionFamilies } from "./local.ts";
import { nodePeers, nodeWith, peerName, reflects } from "./node-peers.ts";
import { isGlobal, selectorMatcher } from "./selection.ts";
import { seconds } from "./session-options.ts";

interface ExplicitOptions {
  readonly peer: BGPPeer;
  readonly view: ClusterView;
  readonly local: Local;
  readonly globalAs: number;
  readonly filters: (family: Family) => FilterPolicies;
  readonly problems: string[];
}

export function explicitPeers({
  peer,
  view,
  local,
  globalAs,
  filters,
  problems,
}: ExplicitOptions): PeerConfig[] {
  const kind = isGlobal(peer) ? "Global" : "Node";
  const { spec, metadata } = peer;
  if (spec.peerSelector) {
    const matches = selectorMatcher(spec.peerSelector, metadata.name, problems);
    return view.nodes.flatMap((node) =>
      matches(node) ? nodePeers({ kind, node, view, local, globalAs, filters }) : [],
    );
  }
  if (!spec.peerIP) return [];
  const endpoint = parseEndpoint(spec.peerIP);
  if (!endpoint) {
    problems.push(`BGPPeer ${metadata.name}: bad peerIP ${spec.peerIP}`);
    return [];
  }
  const own = localAddress(local, endpoint.address);
  // No session of a family that the node does not have.
  if (own === undefined) return [];
  const port = endpoint.port ?? DEFAULT_PORT;
  const keepalive = seconds(spec.keepaliveTime);
  const remoteAs = Number(spec.asNumber || globalAs);
  const localAs = Number(spec.localASNumber || local.as);
  const external = remoteAs !== localAs;
  const allowedLocalAs = Math.min(Math.max(spec.numAllowedLocalASNumbers ?? 0, 0), 255);
  const family = familyOf(endpoint.address);
  const { imported, exported } = filters(family);
  // Deprecated, and only ever for eBGP; the two are never both set.
  const keeps = spec.keepOriginalNextHop === true && external;
  return [
    {
      name: peerName(kind, endpoint.address, port),
      address: endpoint.address,
      port,
      remoteAs,
      ...(reflects({ ...local, as: localAs }, remoteAs, nodeWith(view, endpoint.address)) && {
        routeReflectorClient: true,
      }),
      ...(localAs !== local.as && { localAs }),
      ...(allowedLocalAs > 0 && { allowedLocalAs }),
      ...(spec.sourceAddress !== "None" && { localAddress: own }),
      families: sessionFamilies[family],
      ...(keeps && { nextHop: "keep" }),
      ...(spec.nextHopMode && { nextHop: nextHopModes[spec.nextHopMode] }),
      ...(keepalive && { keepaliveSeconds: Math.min(keepalive, 65_535) }),
      ...(imported.length > 0 && { importPolicy: imported }),
      exportPolicy: local.exports.of({ family, external, filters: exported }),
    },
  ];
}

const nextHopModes = { Auto: "auto", Self: "self", Keep: "keep" } as const;

/** `IP`, `IPv4:PORT` or `[IPv6]:PORT`. */
function parseEndpoint(text: string): { address: IpAddress; port?: number } | undefined {
  const match = /^\[(.+)\]:([0-9]+)$/.exec(text) ?? /^([0-9.]+):([0-9]+)$/.exec(text);
  const address = parseAddress(match?.[1] ?? text);
  if (address === undefined) return undefined;
  return match ? { address, port: Number(match[2]) } : { address };
}
