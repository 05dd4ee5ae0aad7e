/** Small snapshots for tests: the four-node network of the documentation, varied by overrides. */

import { type Ipv4, ipv4, type Prefix4, prefix4 } from "../../lib/index.ts";
import type { Encapsulation } from "../../model/index.ts";
import type { NodeAddress, NodeFacts, PoolFacts, Settings, Snapshot } from "../types.ts";

const nodeRows = [
  ["node1", "172.139.20.75"],
  ["node2", "172.139.20.76"],
  ["node3", "172.139.30.75"],
  ["node4", "172.139.30.76"],
] as const;

export const settings: Settings = {
  vxlanVni: 4096,
  vxlanPort: 4789,
  mtuIfacePattern: "^eth",
  ipipMtu: 0,
  vxlanMtu: 0,
  vxlan6Mtu: 0,
  bgpProtocol: 12,
  datastoreProtocol: 80,
  natExcludesHosts: false,
  externalNodes: [],
};

/** Node N of `nodeN`; its block is 10.244.N.0/26, its VTEP 10.244.N.1. */
export function nodeFact(
  name: string,
  { accepts, ...overrides }: Partial<NodeAddress<Ipv4>> & Pick<NodeFacts, "accepts"> = {},
): NodeFacts & { readonly ipv4: NodeAddress<Ipv4> } {
  const row = nodeRows.find(([candidate]) => candidate === name);
  const number = name.slice(-1);
  return {
    name,
    ipv4: {
      address: ipv4(row?.[1] ?? "0.0.0.0"),
      prefixLength: 24,
      vxlanTunnelAddress: ipv4(`10.244.${number}.1`),
      vxlanMac: `66:00:00:00:00:0${number}`,
      ...overrides,
    },
    accepts: accepts ?? ["none", "ipip", "vxlan"],
  };
}

export function poolFact(overrides: Partial<PoolFacts> = {}): PoolFacts {
  return {
    name: "default-ipv4-ippool",
    cidr: prefix4("10.244.0.0/16"),
    ipipMode: "Always",
    vxlanMode: "Never",
    natOutgoing: true,
    loadBalancerOnly: false,
    ...overrides,
  };
}

export function block(node: string): { prefix: Prefix4; node: string } {
  return { prefix: prefix4(`10.244.${node.slice(-1)}.0/26`), node };
}

/** As seen from node1, everything known and announced, nothing in the kernel yet. */
export function snapshot(overrides: Partial<Snapshot> = {}): Snapshot {
  const nodes = nodeRows.map(([name]) => nodeFact(name));
  return {
    node: "node1",
    nodes,
    pools: [poolFact()],
    blocks: nodes.map(({ name }) => block(name)),
    workloads: [{ address: ipv4("10.244.1.2"), device: "cali0123456789a" }],
    learned: nodes
      .slice(1)
      .map((node) => ({ prefix: block(node.name).prefix, nextHop: node.ipv4.address })),
    host: {
      uplink: { name: "eth0", index: 2, mac: "02:00:00:00:00:01", mtu: 1500 },
      interfaces: [{ name: "eth0", mtu: 1500, running: true }],
      routes: [
        { destination: prefix4("0.0.0.0/0"), gateway: ipv4("172.139.20.1"), device: "eth0" },
        { destination: prefix4("172.139.20.0/24"), device: "eth0" },
      ],
    },
    settings,
    ipipTunnelAddress: ipv4("10.244.1.0"),
    vxlanTunnelAddress: ipv4("10.244.1.1"),
    receive: ["ipip", "vxlan"],
    announced: ["none", "ipip", "vxlan"],
    current: new Map<string, Encapsulation>(),
    keepUnplannedRoutes: false,
    ...overrides,
  };
}
