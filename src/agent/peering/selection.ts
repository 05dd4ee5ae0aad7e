/** Which nodes a BGPPeer speaks of. */

import { type BGPPeer, type Node, parseSelector } from "../../model/index.ts";

export const isGlobal = ({ spec }: BGPPeer): boolean => !spec.node && !spec.nodeSelector;

/** The nodes that have the peering; those that are the peer are another matter. */
export function nodeMatcher({ metadata, spec }: BGPPeer, problems: string[]) {
  const { node: only, nodeSelector } = spec;
  if (only) return (node: Node) => only === node.metadata.name;
  if (!nodeSelector) return () => true;
  return selectorMatcher(nodeSelector, metadata.name, problems);
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
