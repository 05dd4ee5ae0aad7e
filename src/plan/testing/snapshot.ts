/** Small snapshots for tests: the four-node network of the documentation, varied by overrides. */

import {
  type Ipv4,
  type Ipv6,
  ipAddress,
  ipv4,
  type Prefix4,
  prefix,
  prefix4,
} from "../../lib/index.ts";
import { type Encapsulation, encapsulations } from "../../model/index.ts";
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

export function pool6Fact(overrides: Partial<PoolFacts> = {}): PoolFacts {
  return poolFact({
    name: "default-ipv6-ippool",
    cidr: prefix("fd00:244::/64"),
    ipipMode: "Never",
    ...overrides,
  });
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

/** The same network with IPv6 beside IPv4: node 2001:db8:20::75, block fd00:244::N00/122, VTEP the block's first. */
export function dualStackSnapshot(overrides: Partial<Snapshot> = {}): Snapshot {
  const base = snapshot();
  const number = (name: string) => name.slice(-1);
  const nodes = base.nodes.map((node) => {
    const [, , subnet, host] = nodeRows.find(([name]) => name === node.name)![1].split(".");
    return {
      ...node,
      ipv6: {
        address: ipAddress(`2001:db8:${subnet}::${host}`) as Ipv6,
        prefixLength: 64,
        vxlanTunnelAddress: ipAddress(`fd00:244::${number(node.name)}00`) as Ipv6,
        vxlanMac: `66:00:00:00:06:0${number(node.name)}`,
      },
      accepts: encapsulations,
    };
  });
  const block6 = (name: string) => prefix(`fd00:244::${number(name)}00/122`);
  return {
    ...base,
    nodes,
    pools: [...base.pools, pool6Fact({ vxlanMode: "Always" })],
    blocks: [...base.blocks, ...nodes.map(({ name }) => ({ prefix: block6(name), node: name }))],
    workloads: [
      ...base.workloads,
      { address: ipAddress("fd00:244::102"), device: "cali0123456789a" },
    ],
    learned: [
      ...base.learned,
      ...nodes.slice(1).map(({ name, ipv6 }) => ({ prefix: block6(name), nextHop: ipv6.address })),
    ],
    host: {
      ...base.host,
      uplink6: base.host.uplink,
      routes: [
        ...base.host.routes,
        { destination: prefix("::/0"), gateway: ipAddress("2001:db8:20::1"), device: "eth0" },
        { destination: prefix("2001:db8:20::/64"), device: "eth0" },
      ],
    },
    vxlan6TunnelAddress: ipAddress("fd00:244::100") as Ipv6,
    receive: ["ipip", "vxlan", "vxlan-v6"],
    announced: encapsulations,
    ...overrides,
  };
}
