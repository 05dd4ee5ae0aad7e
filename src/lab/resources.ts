/** What an installer would put into the datastore for this topology. Pure. */

import { formatAddress, type IpAddress } from "../lib/index.ts";
import {
  type BGPConfiguration,
  type BGPPeer,
  type IPPool,
  type ModeName,
  modeFields,
  type Node,
  type Resource,
} from "../model/index.ts";
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
      ...modeFields(mode),
      nodeSelector: "all()",
    },
  };
  const pool6: IPPool = {
    ...pool,
    metadata: { name: layout.poolName6 },
    spec: {
      ...pool.spec,
      cidr: layout.poolCidr6,
      blockSize: layout.blockSize6,
      ...modeFields(nearestMode6(mode)),
    },
  };
  const nodes = topology.nodes.map(({ name, address, address6, subnet }): Node => {
    const ipv6 = address6 === undefined ? undefined : withSubnetLength(address6, subnet.prefix6);
    return {
      apiVersion,
      kind: "Node",
      metadata: { name, labels: { rack: subnet.rack } },
      spec: {
        bgp: {
          ipv4Address: withSubnetLength(address, subnet.prefix),
          ...(ipv6 !== undefined && { ipv6Address: ipv6 }),
        },
      },
    };
  });
  const peer = (name: string, rack: string, address: IpAddress): BGPPeer => ({
    apiVersion,
    kind: "BGPPeer",
    metadata: { name: `${name}-${rack}` },
    spec: {
      nodeSelector: `rack == '${rack}'`,
      peerIP: formatAddress(address),
      asNumber: layout.routerAs,
    },
  });
  const { subnets, dualStack } = topology;
  return [
    bgpConfiguration,
    pool,
    ...(dualStack ? [pool6] : []),
    ...nodes,
    ...subnets.map(({ rack, router }) => peer("lab-router", rack, router)),
    ...(dualStack ? subnets.map(({ rack, router6 }) => peer("lab-router6", rack, router6)) : []),
  ];
}

/** IPv6 has no IP-in-IP. */
function nearestMode6(mode: ModeName): ModeName {
  if (mode === "ipip") return "vxlan";
  return mode === "ipip-cross-subnet" ? "vxlan-cross-subnet" : mode;
}
