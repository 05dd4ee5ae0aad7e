/** Sessions with other nodes: those of the mesh, and those that a BGPPeer's `peerSelector` names. */

import type { PeerConfig } from "../../bgp/index.ts";
import { type ClusterView, type NodeAddresses, nodeAddresses } from "../../facts/index.ts";
import { type Family, familyOf, formatAddress, type IpAddress } from "../../lib/index.ts";
import type { Node } from "../../model/index.ts";
import type { FilterPolicies } from "./filters.ts";
import {
  asOf,
  DEFAULT_PORT,
  type Local,
  listenPort,
  localAddress,
  type Peerings,
  sessionFamilies,
} from "./local.ts";

interface MeshPeers {
  readonly other: string;
  readonly configs: readonly PeerConfig[];
}

export function meshPeers(input: Peerings): MeshPeers[] {
  const { view, local } = input;
  if (local.node.spec.bgp?.routeReflectorClusterID) return [];
  return view.nodes.flatMap((node) => {
    if (node.metadata.name === local.node.metadata.name) return [];
    if (node.spec.bgp?.routeReflectorClusterID) return [];
    const configs = nodePeers({ ...input, kind: "Mesh", node });
    return [{ other: node.metadata.name, configs }];
  });
}

interface NodePeerOptions extends Peerings {
  readonly kind: "Mesh" | "Global" | "Node";
  readonly node: Node;
  /** Of the BGPPeer that wants these sessions; the mesh has none. */
  readonly filters?: (family: Family) => FilterPolicies;
}

/** One session for each family that both have. */
export function nodePeers(options: NodePeerOptions): PeerConfig[] {
  const { kind, node, view, local, globalAs } = options;
  const port = listenPort(view, node.metadata.name);
  const { ipv4, ipv6 } = safeAddresses(node);
  const remoteAs = asOf(node, globalAs);
  return [ipv4, ipv6].flatMap((prefix): PeerConfig[] => {
    const address = prefix?.address;
    const own = address === undefined ? undefined : localAddress(local, address);
    if (address === undefined || own === undefined || own === address) return [];
    const family = familyOf(address);
    const { imported = [], exported: filters = [] } = options.filters?.(family) ?? {};
    return [
      {
        name: peerName(kind, address, port),
        address,
        port,
        remoteAs,
        ...(reflects(local, remoteAs, node) && { routeReflectorClient: true }),
        localAddress: own,
        families: sessionFamilies[family],
        passive: kind !== "Node" && waitsFor(address, own),
        ...(imported.length > 0 && { importPolicy: imported }),
        exportPolicy: local.exports.of({ family, filters }),
      },
    ];
  });
}

/** Both ends know each other, so one of them dials: the one whose address sorts higher as text. */
export function waitsFor(other: IpAddress, own: IpAddress): boolean {
  return formatAddress(other) > formatAddress(own);
}

export const peerName = (kind: string, address: IpAddress, port: number) =>
  `${kind}_${formatAddress(address).replace(/[.:]/g, "_")}${port === DEFAULT_PORT ? "" : `_port_${port}`}`;

/**
 * A node with a cluster id reflects routes to internal peers outside of its cluster (RFC 4456); who has
 * the same one is another reflector of the same clients. What an address stands for is looked up too.
 */
export function reflects(
  { node: { spec }, as }: Local,
  remoteAs: number,
  peer: Node | undefined,
): boolean {
  const own = spec.bgp?.routeReflectorClusterID;
  return Boolean(own) && remoteAs === as && peer?.spec.bgp?.routeReflectorClusterID !== own;
}

export function nodeWith(view: ClusterView, address: IpAddress): Node | undefined {
  return view.nodes.find((node) => {
    const { ipv4, ipv6 } = safeAddresses(node);
    return ipv4?.address === address || ipv6?.address === address;
  });
}

function safeAddresses(node: Node): NodeAddresses {
  try {
    return nodeAddresses(node);
  } catch {
    return {};
  }
}
