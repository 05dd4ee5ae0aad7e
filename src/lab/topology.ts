/**
 * The lab on paper: two L2 subnets joined by a router that speaks BGP, a host `outside` beyond it,
 * nodes and pods. Pure: from sizes to names and addresses; everything else in this room reads it here.
 */

import {
  formatAddress,
  formatPrefix,
  type IpAddress,
  type Ipv4,
  type Ipv6,
  ipAddress,
  ipv4,
  type Prefix,
  type Prefix4,
  type Prefix6,
  prefix,
  prefix4,
  SwitchyardError,
} from "../lib/index.ts";

export interface Subnet {
  /** Name of the bridge in the router's namespace. */
  readonly bridge: string;
  /** Value of the label `rack` on the nodes of this subnet. */
  readonly rack: string;
  readonly prefix: Prefix4;
  /** The router's address, the nodes' default gateway. */
  readonly router: Ipv4;
  /** The same of IPv6, which only a dual-stack lab uses. */
  readonly prefix6: Prefix6;
  readonly router6: Ipv6;
}

export interface LabNode {
  readonly name: string;
  readonly subnet: Subnet;
  readonly address: Ipv4;
  readonly address6?: Ipv6;
}

export interface LabPod {
  readonly name: string;
  readonly node: string;
}

export interface Topology {
  readonly subnets: readonly Subnet[];
  readonly nodes: readonly LabNode[];
  readonly pods: readonly LabPod[];
  readonly dualStack: boolean;
  readonly outside: {
    readonly prefix: Prefix4;
    readonly router: Ipv4;
    readonly address: Ipv4;
    readonly prefix6: Prefix6;
    readonly router6: Ipv6;
    readonly address6: Ipv6;
  };
}

/** The default lab, as data. */
export const layout = {
  poolName: "default-ipv4-ippool",
  poolCidr: "10.244.0.0/16",
  blockSize: 26,
  poolName6: "default-ipv6-ippool",
  poolCidr6: "fd00:244::/64",
  blockSize6: 122,
  nodeAs: 64512,
  routerAs: 65000,
  subnets: [
    {
      bridge: "br20",
      rack: "20",
      prefix: prefix4("172.139.20.0/24"),
      router: ipv4("172.139.20.1"),
      prefix6: prefix("2001:db8:20::/64") as Prefix6,
      router6: ipAddress("2001:db8:20::1") as Ipv6,
    },
    {
      bridge: "br30",
      rack: "30",
      prefix: prefix4("172.139.30.0/24"),
      router: ipv4("172.139.30.1"),
      prefix6: prefix("2001:db8:30::/64") as Prefix6,
      router6: ipAddress("2001:db8:30::1") as Ipv6,
    },
  ],
  /** Last byte of the first node's address in each subnet. */
  firstHost: 75,
  outside: {
    prefix: prefix4("198.51.100.0/24"),
    router: ipv4("198.51.100.1"),
    address: ipv4("198.51.100.10"),
    prefix6: prefix("2001:db8:100::/64") as Prefix6,
    router6: ipAddress("2001:db8:100::1") as Ipv6,
    address6: ipAddress("2001:db8:100::10") as Ipv6,
  },
} as const;

export interface TopologySize {
  /** 1 to 64; 4 unless told. */
  readonly nodes?: number;
  /** 0 to 26; 2 unless told. */
  readonly podsPerNode?: number;
  /** IPv6 beside IPv4, everywhere; not unless told. */
  readonly dualStack?: boolean | undefined;
}

export const defaultSize: Required<Omit<TopologySize, "dualStack">> = { nodes: 4, podsPerNode: 2 };

/** The first half of the nodes is in the first subnet. @throws INVALID_ARGUMENT. */
export function topologyOf(size: TopologySize = {}): Topology {
  const nodeCount = within(size.nodes ?? defaultSize.nodes, {
    what: "number of nodes",
    minimum: 1,
    maximum: 64,
  });
  const podsPerNode = within(size.podsPerNode ?? defaultSize.podsPerNode, {
    what: "number of pods per node",
    minimum: 0,
    maximum: 26,
  });
  const perSubnet = Math.ceil(nodeCount / layout.subnets.length);
  const nodes: LabNode[] = [];
  const pods: LabPod[] = [];
  for (let index = 0; index < nodeCount; index++) {
    const subnet = layout.subnets[Math.floor(index / perSubnet)]!;
    const host = layout.firstHost + (index % perSubnet);
    const name = `node${index + 1}`;
    nodes.push({
      name,
      subnet,
      address: (subnet.prefix.address + host) as Ipv4,
      // As one reads it: node 172.139.20.75 is 2001:db8:20::75.
      ...(size.dualStack && {
        address6: (subnet.prefix6.address + BigInt(`0x${host}`)) as Ipv6,
      }),
    });
    for (let pod = 0; pod < podsPerNode; pod++) {
      pods.push({ name: `pod${index + 1}${String.fromCharCode(97 + pod)}`, node: name });
    }
  }
  const dualStack = size.dualStack ?? false;
  return { subnets: layout.subnets, nodes, pods, dualStack, outside: layout.outside };
}

function within(
  value: number,
  limits: { readonly what: string; readonly minimum: number; readonly maximum: number },
): number {
  const { what, minimum, maximum } = limits;
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return value;
  throw new SwitchyardError(
    "INVALID_ARGUMENT",
    `the ${what} of a lab is from ${minimum} to ${maximum}, not ${value}`,
  );
}

/** `172.139.20.75/24`. */
export function withSubnetLength(address: IpAddress, subnet: Prefix): string {
  return `${formatAddress(address)}/${subnet.length}`;
}

/** The lab as a drawing of lines, for an operator. */
export function drawTopology(topology: Topology): string[] {
  const lines: string[] = [];
  const { outside } = topology;
  lines.push(`outside  ${formatAddress(outside.address)}  (via ${formatAddress(outside.router)})`);
  lines.push(`router   AS ${layout.routerAs}, learns the pods' blocks by BGP`);
  for (const subnet of topology.subnets) {
    const nodes = topology.nodes.filter((node) => node.subnet === subnet);
    if (nodes.length === 0) continue;
    lines.push(`${formatPrefix(subnet.prefix)}  on ${subnet.bridge}`);
    for (const node of nodes) {
      const pods = topology.pods.filter((pod) => pod.node === node.name).map((pod) => pod.name);
      lines.push(`  ${node.name}  ${formatAddress(node.address)}  ${pods.join(" ")}`.trimEnd());
    }
  }
  return lines;
}
