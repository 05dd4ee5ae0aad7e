/** A cluster in which nothing is wrong: four nodes in two subnets, whose routers are their BGP peers. */

import { affinityResource, nodeResource, poolResource } from "../../facts/testing/resources.ts";
import type {
  BGPPeer,
  IPPoolSpec,
  Node,
  NodeHost,
  NodeHostStatus,
  NodeMode,
  NodeModeStatus,
} from "../../model/index.ts";
import { poolMode } from "../../model/index.ts";
import type { TrapInput } from "../traps/types.ts";

const places = [
  ["a", 20, 1],
  ["b", 20, 2],
  ["c", 30, 3],
  ["d", 30, 4],
] as const;
const routerOf = (subnet: number) => `172.139.${subnet}.1`;

export function healthyHost(name: string, change: Partial<NodeHostStatus> = {}): NodeHost {
  const [, subnet, number] = places.find(([one]) => one === name) ?? places[0];
  const device = { name: "eth0", index: 2, mac: `02:00:00:00:00:0${number}`, mtu: 1500 };
  return {
    apiVersion: "switchyard.io/v1",
    kind: "NodeHost",
    metadata: { name },
    spec: {},
    status: {
      uplink: { ...device, prefixLength: 24 },
      interfaces: [{ name: "eth0", mtu: 1500, running: true }],
      routes: [
        { destination: `172.139.${subnet}.0/24`, device: "eth0" },
        { destination: "0.0.0.0/0", gateway: routerOf(subnet), device: "eth0" },
      ],
      addresses: [{ device: "eth0", address: `172.139.${subnet}.7${number}/24` }],
      kernel: "6.1.0-18-amd64",
      tunnels: { ipip: "kernel", vxlan: "kernel" },
      driver: "virtio_net",
      offloads: ["tx-checksum-ip-generic"],
      rpFilter: { all: 1, eth0: 2 },
      vxlanPortHolders: [],
      tunnelAddressSockets: {},
      podMtus: { 1450: 3 },
      bgp: {
        localAs: 64512,
        sessions: 4,
        established: 4,
        peers: [
          {
            address: routerOf(subnet),
            kind: "node specific",
            state: "Established",
            remoteAs: 65000 + subnet,
          },
        ],
        missing: { count: 0, blocks: [] },
      },
      agentVersion: "1.0.0",
      updatedAt: "2026-01-01T00:00:00Z",
      ...change,
    },
  };
}

export function healthyMode(
  name: string,
  pool: Partial<IPPoolSpec>,
  change: Partial<NodeModeStatus> = {},
): NodeMode {
  return {
    apiVersion: "switchyard.io/v1",
    kind: "NodeMode",
    metadata: { name },
    spec: {},
    status: {
      accepts: ["none", "ipip"],
      sends: ["none", "ipip"],
      destinations: { ipip: 3 },
      pools: {
        "default-ipv4-ippool": {
          mode: poolMode({ ipipMode: "Always", ...pool }),
          resourceVersion: "7",
          realised: true,
          waiting: [],
        },
      },
      mtu: { host: 1500, sends: 1450, accepts: 1450 },
      failures: [],
      agentVersion: "1.0.0",
      updatedAt: "2026-01-01T00:00:00Z",
      ...change,
    },
  };
}

export function healthyNode(name: string): Node {
  const [, subnet, number] = places.find(([one]) => one === name) ?? places[0];
  const node = nodeResource(name, `172.139.${subnet}.7${number}/24`, { rack: `${subnet}` });
  const tunnels = { ipv4VXLANTunnelAddr: `10.244.${number}.1` };
  const bgp = { ...node.spec.bgp, ipv4IPIPTunnelAddr: `10.244.${number}.0` };
  return { ...node, spec: { ...node.spec, ...tunnels, bgp } };
}

export function routerPeer(subnet: number): BGPPeer {
  return {
    apiVersion: "projectcalico.org/v3",
    kind: "BGPPeer",
    metadata: { name: `router-${subnet}` },
    spec: {
      peerIP: routerOf(subnet),
      asNumber: 65000 + subnet,
      nodeSelector: `rack == '${subnet}'`,
    },
  };
}

export interface Cluster {
  readonly spec?: TrapInput["spec"];
  readonly pool?: Partial<IPPoolSpec>;
  readonly view?: Partial<TrapInput["view"]>;
  readonly hosts?: Record<string, Partial<NodeHostStatus>>;
  readonly modes?: Record<string, Partial<NodeModeStatus>>;
  readonly nodeHosts?: readonly NodeHost[];
  readonly blocks?: TrapInput["blocks"];
}

/** From IP-in-IP to `to`, unless told. */
export function healthyCluster(to: TrapInput["spec"]["to"], change: Cluster = {}): TrapInput {
  const { pool = {}, view = {}, hosts = {}, modes = {}, blocks } = change;
  const names = places.map(([name]) => name);
  return {
    spec: change.spec ?? { pool: "default-ipv4-ippool", ...(to && { to }) },
    view: {
      nodes: names.map(healthyNode),
      pools: [poolResource(pool)],
      affinities: places.map(([name, , number]) => affinityResource(name, `10.244.${number}.0/26`)),
      bgpConfigurations: [],
      bgpPeers: [routerPeer(20), routerPeer(30)],
      bgpFilters: [],
      felixConfigurations: [],
      nodeModes: names.map((name) => healthyMode(name, pool, modes[name])),
      modeChanges: [],
      ...view,
    },
    nodeHosts: change.nodeHosts ?? names.map((name) => healthyHost(name, hosts[name])),
    ...(blocks && { blocks }),
  };
}
