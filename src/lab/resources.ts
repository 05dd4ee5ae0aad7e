/** What an installer would put into the datastore for this topology. Pure. */

import { formatAddress } from "../lib/index.ts";
import type { BGPConfiguration, BGPPeer, IPPool, Node, Resource } from "../model/index.ts";
import { type ModeName, poolModeOf } from "./modes.ts";
import { layout, type Topology, withSubnetLength } from "./topology.ts";

const apiVersion = "projectcalico.org/v3";

/** In the order in which they are created: what others refer to comes first. */
export function labResources(topology: Topology, mode: ModeName): readonly Resource[] {
  const bgpConfiguration: BGPConfiguration = {
    apiVersion,
    kind: "BGPConfiguration",
    metadata: { name: "default" },
    spec: { asNumber: layout.nodeAs, nodeToNodeMeshEnabled: true },
  };
  const pool: IPPool = {
    apiVersion,
    kind: "IPPool",
    metadata: { name: layout.poolName },
    spec: {
      cidr: layout.poolCidr,
      blockSize: layout.blockSize,
      natOutgoing: true,
      ...poolModeOf(mode),
      nodeSelector: "all()",
    },
  };
  const nodes = topology.nodes.map(
    (node): Node => ({
      apiVersion,
      kind: "Node",
      metadata: { name: node.name, labels: { rack: node.subnet.rack } },
      spec: { bgp: { ipv4Address: withSubnetLength(node.address, node.subnet.prefix) } },
    }),
  );
  const peers = topology.subnets.map(
    (subnet): BGPPeer => ({
      apiVersion,
      kind: "BGPPeer",
      metadata: { name: `lab-router-${subnet.rack}` },
      spec: {
        nodeSelector: `rack == '${subnet.rack}'`,
        peerIP: formatAddress(subnet.router),
        asNumber: layout.routerAs,
      },
    }),
  );
  return [bgpConfiguration, pool, ...nodes, ...peers];
}
