/** Sessions that a BGPPeer gives to the nodes it selects: with an address, or with selected nodes. */

import type { PeerConfig } from "../../bgp/index.ts";
import { parsePeerAddress } from "../../facts/index.ts";
import { type Family, familyOf, type IpAddress } from "../../lib/index.ts";
import type { BGPPeer, Node } from "../../model/index.ts";
import type { FilterPolicies } from "./filters.ts";
import {
  asOf,
  DEFAULT_PORT,
  listenPort,
  localAddress,
  type Peerings,
  sessionFamilies,
} from "./local.ts";
import { nodePeers, nodeWith, peerName, reflects, waitsFor } from "./node-peers.ts";
import { isGlobal, selectorMatcher } from "./selection.ts";

interface ExplicitOptions extends Peerings {
  readonly peer: BGPPeer;
  readonly filters: (family: Family) => FilterPolicies;
}

export function explicitPeers(options: ExplicitOptions): PeerConfig[] {
  const { peer, view, local, globalAs, filters, problems } = options;
  const kind = isGlobal(peer) ? "Global" : "Node";
  const { spec, metadata } = peer;
  if (spec.peerSelector) {
    const matches = selectorMatcher(spec.peerSelector, metadata.name, problems);
    return view.nodes.flatMap((node) =>
      matches(node) ? nodePeers({ ...options, kind, node }) : [],
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
  const isNode =
    other !== undefined && speaksAt(endpoint, { node: other, remoteAs, view, globalAs });
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
      passive: kind === "Global" && isNode && waitsFor(endpoint.address, own),
      families: sessionFamilies[family],
      // A reflector or a router may know several ways; the nodes of a mesh know one each.
      addPath: { receive: true },
      ...(imported.length > 0 && { importPolicy: imported }),
      exportPolicy: local.exports.of({ family, external, filters: exported }),
    },
  ];
}

/** The families in which a BGPPeer names this node as its peer by an address. */
export function namedFamilies(
  { peerIP, asNumber }: BGPPeer["spec"],
  node: Node,
  { view, globalAs }: Pick<Peerings, "view" | "globalAs">,
): readonly Family[] {
  const endpoint = parsePeerAddress(peerIP ?? "");
  if (!endpoint || nodeWith(view, endpoint.address) !== node) return [];
  const remoteAs = Number(asNumber || globalAs);
  return speaksAt(endpoint, { node, remoteAs, view, globalAs }) ? [familyOf(endpoint.address)] : [];
}

interface Speaks extends Pick<Peerings, "view" | "globalAs"> {
  readonly node: Node;
  readonly remoteAs: number;
}

/** Of a node that has the address: the AS, and the port where one is told, are its own too. */
function speaksAt(
  { port }: { readonly address: IpAddress; readonly port?: number },
  { node, remoteAs, view, globalAs }: Speaks,
): boolean {
  const hasPort = port === undefined || port === listenPort(view, node.metadata.name);
  return hasPort && remoteAs === asOf(node, globalAs);
}
