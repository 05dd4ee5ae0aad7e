/** Sessions that a BGPPeer gives to the nodes it selects: with an address, or with selected nodes. */

import type { PeerConfig } from "../../bgp/index.ts";
import { type ClusterView, parsePeerAddress } from "../../facts/index.ts";
import { type Family, familyOf } from "../../lib/index.ts";
import type { BGPPeer } from "../../model/index.ts";
import type { FilterPolicies } from "./filters.ts";
import { DEFAULT_PORT, type Local, listenPort, localAddress, sessionFamilies } from "./local.ts";
import { nodePeers, nodeWith, peerName, reflects } from "./node-peers.ts";
import { isGlobal, selectorMatcher } from "./selection.ts";

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
  const endpoint = parsePeerAddress(spec.peerIP);
  if (!endpoint) {
    problems.push(`BGPPeer ${metadata.name}: bad peerIP ${spec.peerIP}`);
    return [];
  }
  const own = localAddress(local, endpoint.address);
  // No session of a family that the node does not have.
  if (own === undefined) return [];
  const remoteAs = Number(spec.asNumber || globalAs);
  const other = nodeWith(view, endpoint.address);
  const isNode = other !== undefined && remoteAs === Number(other.spec.bgp?.asNumber ?? globalAs);
  const port = endpoint.port ?? (isNode ? listenPort(view, other.metadata.name) : DEFAULT_PORT);
  const localAs = Number(spec.localASNumber || local.as);
  const external = remoteAs !== localAs;
  const allowedLocalAs = Math.min(Math.max(spec.numAllowedLocalASNumbers ?? 0, 0), 255);
  const family = familyOf(endpoint.address);
  const { imported, exported } = filters(family);
  return [
    {
      name: peerName(kind, endpoint.address, port),
      address: endpoint.address,
      port,
      remoteAs,
      ...(reflects({ ...local, as: localAs }, remoteAs, other) && {
        routeReflectorClient: true,
      }),
      ...(localAs !== local.as && { localAs }),
      ...(allowedLocalAs > 0 && { allowedLocalAs }),
      localAddress: own,
      families: sessionFamilies[family],
      // A reflector or a router may know several ways; the nodes of a mesh know one each.
      addPath: { receive: true },
      ...(imported.length > 0 && { importPolicy: imported }),
      exportPolicy: local.exports.of({ family, external, filters: exported }),
    },
  ];
}
