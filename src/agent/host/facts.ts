/** A NodeHost from what was read of the host and what the agent knows; pure. Its size must not grow with the cluster. */

import {
  formatAddress,
  formatPrefix,
  type IpAddress,
  isHostPrefix,
  prefixContains,
} from "../../lib/index.ts";
import type { NodeHostStatus } from "../../model/index.ts";
import { addressesOf, type HostFacts, type HostRoute, type NodeFacts } from "../../plan/index.ts";
import type { BgpSessions } from "../bgp-runner.ts";
import { type HostReading, TUNNELS } from "./reading.ts";

const MOST_ADDRESSES = 32;
const MOST_PEERS = 64;
const MOST_BLOCKS = 32;
const MESH = "node-to-node mesh";

export interface HostInput {
  readonly node: string;
  readonly nodes: readonly NodeFacts[];
  readonly reading: HostReading;
  /** As planned with; undefined while no device holds the node's address. */
  readonly host: HostFacts | undefined;
  readonly mtuIfacePattern: string;
  readonly vxlan: { readonly port: number; readonly vni: number };
  /** What carries IP-in-IP now. */
  readonly ipipBackend: "kernel" | "bpf" | undefined;
  readonly workloadDevicePrefix: string;
  /** Of host ends of pods' veths. */
  readonly podMtus: Iterable<number>;
  readonly bgp: BgpSessions | undefined;
  /** Blocks of other nodes that BGP has not told of. */
  readonly missing: readonly string[];
  readonly version: string;
}

export type HostStatus = Omit<NodeHostStatus, "updatedAt">;

export function hostStatus(input: HostInput): HostStatus {
  const { reading, host, version } = input;
  const own = ({ name }: { readonly name: string }) =>
    name.startsWith(input.workloadDevicePrefix) || TUNNELS.includes(name);
  return {
    ...(host && { uplink: host.uplink }),
    ...(host?.uplink6 && { uplink6: host.uplink6 }),
    interfaces: interfacesOf(input),
    routes: routesToNodes(input),
    addresses: reading.addresses
      .flatMap(({ index, prefix, scope }) => {
        const link = reading.links.find((one) => one.index === index);
        if (!link || own(link) || scope !== "global") return [];
        return [{ device: link.name, address: formatPrefix(prefix) }];
      })
      .slice(0, MOST_ADDRESSES),
    kernel: reading.kernel,
    tunnels: { ipip: ipipOf(input), vxlan: vxlanOf(input) },
    ...(reading.driver && { driver: reading.driver }),
    offloads: [...reading.offloads],
    rpFilter: Object.fromEntries(
      [...reading.rpFilter].filter(([, value]) => value !== 0).sort(byName),
    ),
    vxlanPortHolders: portHolders(input),
    tunnelAddressSockets: Object.fromEntries(reading.tunnelSockets),
    podMtus: counted(input.podMtus),
    ...bgpOf(input),
    agentVersion: version,
  };
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) =>
  a < b ? -1 : 1;

/** What decides how large packets may be (src/plan/mtu.ts), and no more: hosts have devices of all kinds. */
function interfacesOf({ host, mtuIfacePattern }: HostInput): HostStatus["interfaces"] {
  if (!host) return [];
  const pattern = new RegExp(mtuIfacePattern);
  const uplinks = [host.uplink.name, host.uplink6?.name];
  return host.interfaces
    .filter(({ name }) => pattern.test(name) || uplinks.includes(name))
    .map(({ name, mtu, running }) => ({ name, mtu, running }));
}

/** Each once, in the order of the routing table: what resolves the next hop to some node. */
function routesToNodes({ host, nodes, node: me }: HostInput): HostStatus["routes"] {
  if (!host) return [];
  const used = new Set<HostRoute>();
  const find = finder(host.routes);
  for (const node of nodes) {
    if (node.name === me) continue;
    for (const address of addressesOf(node)) {
      const route = find(address);
      if (route) used.add(route);
    }
  }
  return host.routes
    .filter((route) => used.has(route))
    .map(({ destination, gateway, device }) => ({
      destination: formatPrefix(destination),
      ...(gateway !== undefined && { gateway: formatAddress(gateway) }),
      device,
    }));
}

/** Longest match. Routes to single hosts, of which there may be one for each node, are looked up. */
function finder(routes: readonly HostRoute[]): (address: IpAddress) => HostRoute | undefined {
  const hosts = new Map<IpAddress, HostRoute>();
  const networks: HostRoute[] = [];
  for (const route of routes) {
    if (isHostPrefix(route.destination)) hosts.set(route.destination.address, route);
    else networks.push(route);
  }
  networks.sort((a, b) => b.destination.length - a.destination.length);
  return (address) =>
    hosts.get(address) ?? networks.find(({ destination }) => prefixContains(destination, address));
}

function ipipOf({ ipipBackend, reading }: HostInput): string {
  if (ipipBackend) return ipipBackend;
  if (reading.modules.ipip === "present") return "kernel";
  if (reading.bpfProblem === undefined) return "bpf";
  if (reading.modules.ipip === "unknown") return "unknown";
  return `no ipip module, and no BPF: ${reading.bpfProblem}`;
}

function vxlanOf({ reading }: HostInput): string {
  const { vxlan } = reading.modules;
  if (vxlan === "present" || reading.links.some(({ kind }) => kind === "vxlan")) return "kernel";
  return vxlan === "unknown" ? "unknown" : "no vxlan module";
}

/**
 * VXLAN devices of one port share a socket if they want it alike, and are told apart by their VNI; one that
 * takes packets of every VNI (`external`) shares with nobody, and two of one VNI are refused (vxlan_vni_in_use,
 * drivers/net/vxlan/vxlan_core.c). A program that holds the port leaves none for a device.
 */
function portHolders({ reading, vxlan }: HostInput): HostStatus["vxlanPortHolders"] {
  const devices = reading.links.filter((link) => link.vxlan?.port === vxlan.port);
  const others = devices.filter(({ name }) => !TUNNELS.includes(name));
  const holders = others.map(({ name, vxlan: of }) => {
    const external = of?.external === true;
    const what = external ? "every VNI" : `VNI ${of?.vni}`;
    return { holder: `device ${name} (${what})`, blocks: external || of?.vni === vxlan.vni };
  });
  // The kernel's socket of a device is among the sockets as well.
  const bound = devices.length === 0 && reading.udpPorts.has(vxlan.port);
  return bound ? [...holders, { holder: "a program with a UDP socket", blocks: true }] : holders;
}

function counted(mtus: Iterable<number>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const mtu of mtus) counts[mtu] = (counts[mtu] ?? 0) + 1;
  return counts;
}

function bgpOf({ bgp, missing }: HostInput): Pick<HostStatus, "bgp"> {
  if (!bgp) return {};
  const { localAs, peers } = bgp;
  const told = peers.filter(({ kind, state }) => kind !== MESH || state !== "Established");
  return {
    bgp: {
      localAs,
      sessions: peers.length,
      established: peers.filter(({ state }) => state === "Established").length,
      peers: told.slice(0, MOST_PEERS).map(({ address, kind, state, remoteAs, lastError }) => ({
        address: formatAddress(address),
        kind,
        state,
        remoteAs,
        ...(state !== "Established" && lastError && { reason: lastError }),
      })),
      missing: { count: missing.length, blocks: missing.slice(0, MOST_BLOCKS) },
    },
  };
}
