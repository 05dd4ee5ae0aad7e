/** Resources as tests need them, in the network of the documentation. */

import type { BlockAffinity, IPPool, IPPoolSpec, Node } from "../../model/index.ts";
import type { ClusterView } from "../cluster-view.ts";

const calico = "projectcalico.org/v3";

export function nodeResource(
  name: string,
  ipv4Address: string,
  labels: Record<string, string> = {},
): Node {
  return {
    apiVersion: calico,
    kind: "Node",
    metadata: { name, labels },
    spec: { bgp: { ipv4Address } },
  };
}

export function poolResource(spec: Partial<IPPoolSpec> = {}, name = "default-ipv4-ippool"): IPPool {
  return {
    apiVersion: calico,
    kind: "IPPool",
    metadata: { name },
    spec: { cidr: "10.244.0.0/16", ipipMode: "Always", natOutgoing: true, ...spec },
  };
}

export function affinityResource(node: string, cidr: string): BlockAffinity {
  return {
    apiVersion: calico,
    kind: "BlockAffinity",
    metadata: { name: `${node}-${cidr.replace(/[./]/g, "-")}` },
    spec: { state: "confirmed", node, cidr },
  };
}

export function clusterView(overrides: Partial<ClusterView> = {}): ClusterView {
  return {
    nodes: [
      nodeResource("node1", "172.139.20.75/24", { rack: "20" }),
      nodeResource("node2", "172.139.20.76/24", { rack: "20" }),
      nodeResource("node3", "172.139.30.75/24", { rack: "30" }),
    ],
    pools: [poolResource()],
    affinities: [
      affinityResource("node1", "10.244.1.0/26"),
      affinityResource("node2", "10.244.2.0/26"),
      affinityResource("node3", "10.244.3.0/26"),
    ],
    workloads: [],
    bgpConfigurations: [],
    bgpPeers: [],
    bgpFilters: [],
    felixConfigurations: [],
    nodeModes: [],
    modeChanges: [],
    borrowed: [],
    ...overrides,
  };
}
