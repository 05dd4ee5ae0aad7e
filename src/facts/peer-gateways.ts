/** BGP peers that are behind a gateway of their own (`reachableBy`). */

import { familyOf, type IpAddress, parseAddress } from "../lib/index.ts";
import { type BGPPeer, type Node, parseSelector } from "../model/index.ts";
import type { PeerGateway } from "../plan/index.ts";
import type { ClusterView } from "./cluster-view.ts";

/** Those of one node, each peer once. */
export function peerGateways(
  { bgpPeers, nodes }: Pick<ClusterView, "bgpPeers" | "nodes">,
  name: string,
): PeerGateway[] {
  const node = nodes.find(({ metadata }) => metadata.name === name);
  const found = new Map<IpAddress, PeerGateway>();
  for (const { metadata, spec } of bgpPeers) {
    const gateway = parseAddress(spec.reachableBy ?? "");
    const peer = parsePeerAddress(spec.peerIP ?? "")?.address;
    if (gateway === undefined || peer === undefined || !node || !isPeeringOf(spec, node)) continue;
    if (gateway === peer || familyOf(gateway) !== familyOf(peer) || found.has(peer)) continue;
    found.set(peer, { peer, gateway, reason: `reachableBy of BGPPeer ${metadata.name}` });
  }
  return [...found.values()];
}

/** `IP`, `IPv4:PORT` or `[IPv6]:PORT`. */
export function parsePeerAddress(
  text: string,
): { readonly address: IpAddress; readonly port?: number } | undefined {
  const match = /^\[(.+)\]:([0-9]+)$/.exec(text) ?? /^([0-9.]+):([0-9]+)$/.exec(text);
  const address = parseAddress(match?.[1] ?? text);
  if (address === undefined) return undefined;
  return match ? { address, port: Number(match[2]) } : { address };
}

/** The node has it. A selector that nobody can read is told where the sessions are made. */
export function isPeeringOf({ node: only, nodeSelector }: BGPPeer["spec"], node: Node): boolean {
  if (only) return only === node.metadata.name;
  if (!nodeSelector) return true;
  try {
    return parseSelector(nodeSelector).matches(node.metadata.labels ?? {});
  } catch {
    return false;
  }
}
