/** Without the mesh a node is taught by nobody but those that a BGPPeer names. */

import { peersOf } from "../peers-of.ts";
import type { TrapKind } from "../types.ts";
import { nodesListed } from "../words.ts";

export const bgpNoPeers: TrapKind = {
  code: "BGP_NO_PEERS",
  meaning:
    "The node-to-node mesh is off, or is to be, and no BGPPeer is meant for a node: it neither tells its blocks nor learns others', which every mode but `vxlan` needs.",
  remedy: "Create a BGPPeer for these nodes (route reflectors or routers), or leave the mesh on.",
  find: (context) => {
    const { nodes, mesh, needsBgp, spec } = context;
    if (!needsBgp || mesh || nodes.length < 2) return [];
    const names = nodes
      .filter(({ node }) => peersOf(context, node).length === 0)
      .map(({ name }) => name);
    if (names.length === 0) return [];
    const off = spec.mesh === "off" ? "would be off" : "is off";
    const message = `the node-to-node mesh ${off} and no BGPPeer is meant for ${nodesListed(names)}: no routes to and from there`;
    return [{ severity: "refuse", message, nodes: names }];
  },
};
