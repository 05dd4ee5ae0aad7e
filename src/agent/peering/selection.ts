/** Which nodes a BGPPeer speaks of. */

import { type BGPPeer, type Node, parseSelector } from "../../model/index.ts";

export const isGlobal = ({ spec }: BGPPeer): boolean => !spec.node && !spec.nodeSelector;

export function selectsNode(peer: BGPPeer, node: Node, problems: string[]): boolean {
  const { node: only, nodeSelector } = peer.spec;
  if (only) return only === node.metadata.name;
  return !nodeSelector || selectorMatcher(nodeSelector, peer.metadata.name, problems)(node);
}

/** Of a peering between nodes, this node is the other end, and it is not to be configured by hand. */
export function isReversed({ metadata, spec }: BGPPeer, node: Node): boolean {
  if (!spec.peerSelector || spec.reversePeering === "Manual") return false;
  return selectorMatcher(spec.peerSelector, metadata.name, [])(node);
}

export function selectorMatcher(
  text: string,
  peer: string,
  problems: string[],
): (node: Node) => boolean {
  try {
    const selector = parseSelector(text);
    return (node) => selector.matches(node.metadata.labels ?? {});
  } catch (error) {
    problems.push(`BGPPeer ${peer}: ${(error as Error).message}`);
    return () => false;
  }
}
