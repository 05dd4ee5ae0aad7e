/**
 * From resources to the planner's facts. One bad object is left out and named; it never takes
 * down the rest.
 */

import {
  errorText,
  familyOf,
  formatAddress,
  type IpAddress,
  type Ipv4,
  type Ipv6,
  isMasked,
  maskPrefix,
  type Prefix,
  parseAddress,
  parsePrefix,
  parsePrefixOrAddress,
} from "../lib/index.ts";
import type { BlockAffinity, IPPool, Node, NodeMode, WorkloadEndpoint } from "../model/index.ts";
import {
  addressesOf,
  type BlockFacts,
  DEFAULT_MTU_IFACE_PATTERN,
  type NodeAddress,
  type NodeFacts,
  type PoolFacts,
  type Settings,
  type WorkloadFacts,
} from "../plan/index.ts";
import { clusterRoutes } from "./cluster-routes.ts";
import { type ClusterView, effectiveSpec } from "./cluster-view.ts";
import { localPeerings } from "./local-peers.ts";
import { peerGateways } from "./peer-gateways.ts";
import { serviceCidrs, serviceSettings } from "./service-settings.ts";

export interface ClusterFacts {
  readonly nodes: readonly NodeFacts[];
  readonly pools: readonly PoolFacts[];
  readonly blocks: readonly BlockFacts[];
  readonly workloads: readonly WorkloadFacts[];
  readonly settings: Settings;
  /** Objects that could not be used, and why. */
  readonly problems: readonly string[];
}

/** What every node of the cluster plans with. */
export type SharedFacts = Pick<ClusterFacts, "nodes" | "pools" | "blocks" | "problems">;

/** What is one node's own. */
export type OwnFacts = Pick<ClusterFacts, "workloads" | "settings" | "problems">;

/** `vxlanMac` derives a node's VTEP MAC from its name (it hashes, which a pure module does not). */
export function clusterFacts(
  view: ClusterView,
  node: string,
  vxlanMac: (node: string) => string,
): ClusterFacts {
  return joinFacts(sharedFacts(view, vxlanMac), ownFacts(view, node));
}

export function joinFacts(shared: SharedFacts, own: OwnFacts): ClusterFacts {
  return { ...shared, ...own, problems: [...shared.problems, ...own.problems] };
}

/** O(nodes + pools + blocks): whoever plans for several nodes does it once. */
export function sharedFacts(
  view: Omit<ClusterView, "workloads">,
  vxlanMac: (node: string) => string,
): SharedFacts {
  const problems: string[] = [];
  const modes = new Map(view.nodeModes.map((mode) => [mode.metadata.name, mode]));
  const nodes = collect(problems, view.nodes, (item) =>
    nodeFacts(item, modes.get(item.metadata.name), vxlanMac),
  );
  problems.push(...sharedAddresses(nodes));
  return {
    nodes,
    pools: collect(problems, view.pools, poolFacts),
    blocks: [...collect(problems, view.affinities, blockFacts), ...view.borrowed],
    problems,
  };
}

/** O(workloads), of which those of other nodes are passed over. */
export function ownFacts(
  view: Pick<ClusterView, "workloads" | SettingsView>,
  node: string,
): OwnFacts {
  const problems: string[] = [];
  const localPeers = localPeerings(view, node).map(({ peer: _, ...pod }) => pod);
  return {
    workloads: collect(
      problems,
      view.workloads.filter((workload) => workload.spec.node === node),
      workloadFacts,
    ),
    settings: {
      ...nodeSettings(view, node, problems),
      ...(localPeers.length > 0 && { localPeers }),
    },
    problems,
  };
}

/** One bad item is named and left out. */
function collect<T, F>(
  problems: string[],
  items: readonly T[],
  convert: (item: T) => readonly F[],
): F[] {
  return items.flatMap((item) => {
    try {
      return convert(item);
    } catch (error) {
      problems.push(errorText(error));
      return [];
    }
  });
}

/** Two Nodes with one address: one of them is a mistake, and what is sent to it reaches the other. */
function sharedAddresses(nodes: readonly NodeFacts[]): string[] {
  const holders = new Map<IpAddress, string>();
  return nodes.flatMap((node) =>
    addressesOf(node).flatMap((address) => {
      const holder = holders.get(address);
      holders.set(address, holder ?? node.name);
      return holder === undefined
        ? []
        : [`Nodes ${holder} and ${node.name} both have the address ${formatAddress(address)}`];
    }),
  );
}

export function blockFacts({ metadata, spec }: BlockAffinity): BlockFacts[] {
  if (spec.type === "virtual" || isDeleted(spec.deleted)) return [];
  // An empty state is an affinity of old, which was always confirmed.
  if (spec.state !== "confirmed" && spec.state !== "") return [];
  const prefix = parsePrefix(spec.cidr);
  if (!prefix || !isMasked(prefix)) {
    throw new RangeError(`BlockAffinity ${metadata.name}: bad cidr ${spec.cidr}`);
  }
  return [{ prefix, node: spec.node }];
}

function workloadFacts({ metadata, spec }: WorkloadEndpoint): WorkloadFacts[] {
  const { ipNetworks = [], interfaceName: device } = spec;
  return ipNetworks.flatMap((network) => {
    const prefix = parsePrefixOrAddress(network);
    if (!prefix) throw new RangeError(`WorkloadEndpoint ${metadata.name}: bad network ${network}`);
    return device ? [{ address: prefix.address, device }] : [];
  });
}

function isDeleted(deleted: boolean | string | undefined): boolean {
  return deleted === true || deleted === "true";
}

export interface NodeAddresses {
  readonly ipv4?: Prefix<Ipv4>;
  readonly ipv6?: Prefix<Ipv6>;
}

/** The node's addresses with their masks; a stored bare one is a /32 or /128 (as Felix takes it). */
export function nodeAddresses({ metadata, spec }: Node): NodeAddresses {
  const read = (field: "ipv4Address" | "ipv6Address"): Prefix | undefined => {
    const text = spec.bgp?.[field];
    if (!text) return undefined;
    const prefix = parsePrefixOrAddress(text);
    if (prefix && familyOf(prefix.address) === (field === "ipv4Address" ? 4 : 6)) return prefix;
    throw new RangeError(`Node ${metadata.name}: bad spec.bgp.${field} ${text}`);
  };
  const ipv4 = read("ipv4Address") as Prefix<Ipv4> | undefined;
  const ipv6 = read("ipv6Address") as Prefix<Ipv6> | undefined;
  return { ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) };
}

/** Where other nodes find it; none if what is stored is no address. */
export function bgpAddresses(node: Node): IpAddress[] {
  try {
    const { ipv4, ipv6 } = nodeAddresses(node);
    return [ipv4, ipv6].flatMap((prefix) => (prefix ? [prefix.address] : []));
  } catch {
    return [];
  }
}

function nodeFacts(
  node: Node,
  mode: NodeMode | undefined,
  vxlanMac: (node: string) => string,
): NodeFacts[] {
  const { metadata, spec } = node;
  const { name } = metadata;
  const { ipv4, ipv6 } = nodeAddresses(node);
  if (!ipv4 && !ipv6) return [];
  const mac = spec.vxlanTunnelMACAddr ?? vxlanMac(name);
  const mac6 = spec.vxlanTunnelMACAddrV6 ?? vxlanMac(`${name}-v6`);
  const probeAddress = parseAddress(mode?.status?.probeAddress ?? "");
  return [
    {
      name,
      ...(ipv4 && { ipv4: addressFacts(ipv4, spec.ipv4VXLANTunnelAddr, mac) }),
      ...(ipv6 && { ipv6: addressFacts(ipv6, spec.ipv6VXLANTunnelAddr, mac6) }),
      ...(mode?.status && { accepts: mode.status.accepts }),
      ...(probeAddress !== undefined && { probeAddress }),
    },
  ];
}

function addressFacts<A extends IpAddress>(
  { address, length }: Prefix<A>,
  tunnelAddress: string | undefined,
  mac: string,
): NodeAddress<A> {
  const vtep = parseAddress(tunnelAddress ?? "");
  const usable = vtep !== undefined && familyOf(vtep) === familyOf(address);
  return {
    address,
    prefixLength: length,
    ...(usable && { vxlanTunnelAddress: vtep as A }),
    vxlanMac: mac.toLowerCase(),
  };
}

/** @throws RangeError for a bad cidr. */
export function poolFacts({ metadata, spec }: IPPool): PoolFacts[] {
  const prefix = parsePrefix(spec.cidr);
  if (!prefix || !isMasked(prefix))
    throw new RangeError(`IPPool ${metadata.name}: bad cidr ${spec.cidr}`);
  const uses = spec.allowedUses ?? [];
  return [
    {
      name: metadata.name,
      cidr: maskPrefix(prefix),
      ipipMode: spec.ipipMode ?? "Never",
      vxlanMode: spec.vxlanMode ?? "Never",
      natOutgoing: spec.natOutgoing ?? false,
      loadBalancerOnly: uses.length === 1 && uses[0] === "LoadBalancer",
    },
  ];
}

const RTPROT_BIRD = 12;
const RTPROT_FELIX = 80;

type SettingsView = "felixConfigurations" | "bgpConfigurations" | "bgpPeers" | "nodes";

/** What Felix's and BGP's configurations say for one node; what cannot be used is named among the problems. */
export function nodeSettings(
  view: Pick<ClusterView, SettingsView>,
  node: string,
  problems: string[],
): Settings {
  const felix = effectiveSpec(view.felixConfigurations, node);
  const routes = clusterRoutes(view, node);
  const snat = optionalAddress(felix.natOutgoingAddress, "natOutgoingAddress", problems);
  const externalNodes = (felix.externalNodesList ?? []).flatMap((text) => {
    const prefix = parsePrefixOrAddress(text);
    if (prefix) return [prefix];
    problems.push(`FelixConfiguration: bad entry ${text} in externalNodesList`);
    return [];
  });
  return {
    vxlanVni: felix.vxlanVNI ?? 4096,
    vxlanPort: felix.vxlanPort ?? 4789,
    mtuIfacePattern: mtuIfacePattern(felix.mtuIfacePattern, problems),
    ipipMtu: felix.ipipMTU ?? 0,
    vxlanMtu: felix.vxlanMTU ?? 0,
    vxlan6Mtu: felix.vxlanMTUV6 ?? 0,
    bgpProtocol: RTPROT_BIRD,
    datastoreProtocol: RTPROT_FELIX,
    ...(felix.natPortRange !== undefined && { natPortRange: String(felix.natPortRange) }),
    ...(snat !== undefined && { natOutgoingAddress: snat }),
    natExcludesHosts: felix.natOutgoingExclusions === "IPPoolsAndHostIPs",
    externalNodes,
    ...(routes && { clusterRoutes: routes }),
    ...unserved(view, felix.serviceLoopPrevention),
    ...peerWays(view, node),
  };
}

function peerWays(view: Pick<ClusterView, SettingsView>, node: string) {
  const gateways = peerGateways(view, node);
  // As Calico does, from `default` alone.
  const { ignoredInterfaces = [] } = effectiveSpec(view.bgpConfigurations, "");
  return {
    ...(gateways.length > 0 && { peerGateways: gateways }),
    ...(ignoredInterfaces.length > 0 && { ignoredInterfaces }),
  };
}

/** Service addresses, for which nothing is forwarded that no service proxy has taken. */
function unserved(
  { bgpConfigurations }: Pick<ClusterView, SettingsView>,
  prevention: "Drop" | "Reject" | "Disabled" = "Drop",
): Pick<Settings, "unserved"> {
  const cidrs = serviceCidrs(serviceSettings({ bgpConfigurations, nodes: [] }, ""));
  if (prevention === "Disabled" || cidrs.length === 0) return {};
  return { unserved: { cidrs, action: prevention === "Reject" ? "reject" : "drop" } };
}

/** The pattern was checked when it was stored, as Go reads it: JavaScript may still not. */
function mtuIfacePattern(text: string | undefined, problems: string[]): string {
  if (!text) return DEFAULT_MTU_IFACE_PATTERN;
  try {
    new RegExp(text);
    return text;
  } catch (error) {
    problems.push(
      `FelixConfiguration: bad mtuIfacePattern ${text} (${errorText(error)}); the default is used`,
    );
    return DEFAULT_MTU_IFACE_PATTERN;
  }
}

function optionalAddress(
  text: string | undefined,
  field: string,
  problems: string[],
): IpAddress | undefined {
  if (!text) return undefined;
  const address = parseAddress(text);
  if (address === undefined) problems.push(`FelixConfiguration: bad ${field} ${text}`);
  return address;
}
