/** Without the mesh a node is taught by nobody but those that a BGPPeer names. */

import { type BGPPeer, parseSelector } from "../../../model/index.ts";
import type { TrapKind, TrapNode } from "../types.ts";
import { nodesListed } from "../words.ts";

export const bgpNoPeers: TrapKind = {
  code: "BGP_NO_PEERS",
  meaning:
    "The node-to-node mesh is off, or is to be, and no BGPPeer is meant for a node: it neither tells its blocks nor learns others', which every mode but `vxlan` needs.",
  remedy: "Create a BGPPeer for these nodes (route reflectors or routers), or leave the mesh on.",
  find: ({ nodes, view, mesh, needsBgp, spec }) => {
    if (!needsBgp || mesh || nodes.length < 2) return [];
    const selects = view.bgpPeers.map(nodeSelection);
    const names = nodes
      .filter(({ node }) => !selects.some((one) => one(node)))
      .map(({ name }) => name);
    if (names.length === 0) return [];
    const off = spec.mesh === "off" ? "would be off" : "is off";
    const message = `the node-to-node mesh ${off} and no BGPPeer is meant for ${nodesListed(names)}: no routes to and from there`;
    return [{ severity: "refuse", message, nodes: names }];
  },
};

/** A selector that cannot be read selects nobody, as in the agent. */
function nodeSelection({ spec }: BGPPeer): (node: TrapNode["node"]) => boolean {
  const { node: only, nodeSelector, peerSelector, reversePeering } = spec;
  // Whom it names as peers is configured likewise.
  const reversed =
    peerSelector && reversePeering !== "Manual" ? selection(peerSelector) : () => false;
  if (only) return (node) => node.metadata.name === only || reversed(node);
  if (!nodeSelector) return () => true;
  const forward = selection(nodeSelector);
  return (node) => forward(node) || reversed(node);
}

function selection(text: string): (node: TrapNode["node"]) => boolean {
  try {
    const selector = parseSelector(text);
    return ({ metadata }) => selector.matches(metadata.labels ?? {});
  } catch {
    return () => false;
  }
}
