/**
 * Input and output of the planner. A {@link Snapshot} is everything a plan depends on; a
 * {@link NodePlan} is everything one node's kernel should hold. Both are plain data.
 */

import type { IpAddress, Ipv4, Ipv6, Prefix, Prefix4 } from "../lib/index.ts";
import type { EncapMode, Encapsulation } from "../model/index.ts";

/** What a node has of one address family. */
export interface NodeAddress<A extends IpAddress = IpAddress> {
  readonly address: A;
  /** Length of the node's own subnet, as stored; 32 or 128 when the Node resource has no mask. */
  readonly prefixLength: number;
  readonly vxlanTunnelAddress?: A;
  readonly vxlanMac: string;
}

/** A node of the cluster, as far as planning needs it; it has at least one of the two families. */
export interface NodeFacts {
  readonly name: string;
  readonly ipv4?: NodeAddress<Ipv4>;
  readonly ipv6?: NodeAddress<Ipv6>;
  /** What the node publishes that it accepts; undefined when it publishes nothing (no agent yet). */
  readonly accepts?: readonly Encapsulation[];
  /** Where it can be probed while a mode change runs. */
  readonly probeAddress?: IpAddress;
}

/** Blocks of a pool that have a mode of their own while a change moves the pool block by block. */
export interface PoolPart {
  readonly cidr: Prefix;
  readonly ipipMode: EncapMode;
  readonly vxlanMode: EncapMode;
}

export interface PoolFacts {
  readonly name: string;
  readonly cidr: Prefix;
  readonly ipipMode: EncapMode;
  readonly vxlanMode: EncapMode;
  readonly parts?: readonly PoolPart[];
  readonly natOutgoing: boolean;
  /** allowedUses is exactly LoadBalancer: not part of the pod network for NAT. */
  readonly loadBalancerOnly: boolean;
}

/**
 * A block whose affinity is confirmed, or, behind the blocks, a single address that a node uses out of
 * another's block.
 */
export interface BlockFacts {
  readonly prefix: Prefix;
  readonly node: string;
}

/** One address of a pod; a dual-stack pod is two of these. */
export interface WorkloadFacts {
  readonly address: IpAddress;
  /** Host end of the pod's veth. */
  readonly device: string;
}

/** A route learned by BGP. */
export interface LearnedFacts {
  readonly prefix: Prefix;
  readonly nextHop: IpAddress;
  /** All that packets may take, `nextHop` first; absent where it is alone. */
  readonly nextHops?: readonly IpAddress[];
}

/** A route of the host that is not ours: used to find the way to a next hop. */
export interface HostRoute {
  readonly destination: Prefix;
  readonly gateway?: IpAddress;
  readonly device: string;
}

/** The device that holds a node's address. */
export interface UplinkFacts {
  readonly name: string;
  readonly index: number;
  readonly mac: string;
  readonly mtu: number;
  /** Length of the node's subnet as the device has it; absent where that is not known. */
  readonly prefixLength?: number;
}

export interface HostFacts {
  /** Of the node's IPv4 address, or of its IPv6 address if it has no other. */
  readonly uplink: UplinkFacts;
  /** Of the node's IPv6 address, if it has one. */
  readonly uplink6?: UplinkFacts;
  /** Every device of the host but pods' and our tunnels. */
  readonly interfaces: readonly InterfaceFacts[];
  /** Of both families. */
  readonly routes: readonly HostRoute[];
}

export interface InterfaceFacts {
  readonly name: string;
  readonly mtu: number;
  /** Operational state UP: it has a carrier. */
  readonly running: boolean;
}

/** Whose word is enough for a route to another node's block; `nobody`: no new routes. */
export type RouteSource = "bgp" | "datastore" | "either" | "nobody";

/** Of pools with IP-in-IP, and of pools without encapsulation; VXLAN comes from the datastore. */
export interface ClusterRoutes {
  readonly ipip: RouteSource;
  readonly noEncap: RouteSource;
}

export interface Settings {
  readonly vxlanVni: number;
  readonly vxlanPort: number;
  /** Regular expression: interfaces whose names match carry the cluster's packets. */
  readonly mtuIfacePattern: string;
  /** 0: host MTU less the overhead. */
  readonly ipipMtu: number;
  readonly vxlanMtu: number;
  readonly vxlan6Mtu: number;
  /** RTPROT_* of BGP-learned routes and of the blackholes of own blocks: 12, bird. */
  readonly bgpProtocol: number;
  /** RTPROT_* of routes derived from the datastore: 80. */
  readonly datastoreProtocol: number;
  /** BGP, unless told. */
  readonly clusterRoutes?: ClusterRoutes;
  readonly natPortRange?: string;
  /** Used for pods of its own family. */
  readonly natOutgoingAddress?: IpAddress;
  readonly natExcludesHosts: boolean;
  /** Further tunnel endpoints to accept packets from. */
  readonly externalNodes: readonly Prefix[];
  readonly unserved?: UnservedPlan;
  readonly peerGateways?: readonly PeerGateway[];
  readonly localPeers?: readonly LocalPeer[];
  /** Globs: connected networks of these devices lead to no next hop. */
  readonly ignoredInterfaces?: readonly string[];
}

/** A BGP peer that is reached by this gateway, whatever the host's routes say. */
export interface PeerGateway {
  readonly peer: IpAddress;
  readonly gateway: IpAddress;
  readonly reason: string;
}

/** A pod of this node that speaks BGP with it: what it tells of is reached through it. */
export interface LocalPeer {
  readonly address: IpAddress;
  /** Host end of the pod's veth. */
  readonly device: string;
  /** Where the pod finds the host: an address that this device has. */
  readonly hostAddress?: IpAddress;
}

export interface Snapshot {
  /** The node to plan for; one of `nodes`. */
  readonly node: string;
  readonly nodes: readonly NodeFacts[];
  readonly pools: readonly PoolFacts[];
  readonly blocks: readonly BlockFacts[];
  /** Pods of this node. */
  readonly workloads: readonly WorkloadFacts[];
  readonly learned: readonly LearnedFacts[];
  readonly host: HostFacts;
  readonly settings: Settings;
  readonly ipipTunnelAddress?: Ipv4;
  readonly vxlanTunnelAddress?: Ipv4;
  readonly vxlan6TunnelAddress?: Ipv6;
  /** Encapsulations this node must be able to receive now (see gate.ts); `none` is implied. */
  readonly receive: readonly Encapsulation[];
  /** Encapsulations this node has announced that it may send, and may therefore use. */
  readonly announced: readonly Encapsulation[];
  /** What the kernel sends to each block now: text of the prefix to encapsulation. */
  readonly current: ReadonlyMap<string, Encapsulation>;
  /** Nothing is to be removed yet: BGP has not told everything since the agent started. */
  readonly keepUnplannedRoutes: boolean;
  /** Absent: running pods are left alone. */
  readonly podMtu?: PodMtu;
  /** Where this node is probed while a mode change runs. */
  readonly probeAddress?: IpAddress;
  /** The pool whose new mode is to be proved, as it will be; absent: nothing is. */
  readonly proof?: { readonly pool: PoolFacts };
}

/** One remote block: what should carry it, what will, and why they differ. */
export interface Destination {
  readonly prefix: Prefix;
  readonly pool: string;
  readonly node: string;
  readonly wanted: Encapsulation;
  /** undefined: no route can be given yet. */
  readonly chosen: Encapsulation | undefined;
  /** Set when `chosen` differs from `wanted`: one line for the operator. */
  readonly waiting?: string;
}

export interface VxlanPlan {
  readonly device: string;
  readonly vni: number;
  readonly port: number;
  readonly local: IpAddress;
  /** Underlying device. */
  readonly parent: string;
  readonly mac: string;
  readonly mtu: number;
  readonly neighbours: readonly {
    readonly address: IpAddress;
    readonly mac: string;
    readonly node: IpAddress;
  }[];
}

export interface IpipPlan {
  readonly device: string;
  readonly mtu: number;
  readonly local: Ipv4;
  readonly uplink: string;
  readonly accept: boolean;
  readonly senders: readonly Ipv4[];
  readonly destinations: readonly { readonly prefix: Prefix4; readonly node: Ipv4 }[];
}

export interface RoutePlan {
  readonly kind: "unicast" | "blackhole" | "unreachable";
  readonly destination: Prefix;
  readonly gateway?: IpAddress;
  /** Name of the device; only a unicast route has one. */
  readonly device?: string;
  readonly onlink?: boolean;
  /** In place of `gateway` and `device`: several, in their order, that packets are spread over. */
  readonly nextHops?: readonly Required<Pick<RoutePlan, "gateway" | "device">>[];
  readonly scope: "global" | "link";
  readonly protocol: number;
  /** Why the route exists, for the operator. */
  readonly reason: string;
}

export interface AddressPlan {
  readonly device: string;
  readonly prefix: Prefix;
  /** On a device that is not ours alone: by this IFA_PROTO the address is known as ours. */
  readonly protocol?: number;
}

/** A rule of policy routing for one port of one host address. */
export interface ProofRule {
  readonly priority: number;
  /** A single address. */
  readonly source: Prefix;
  /** IPPROTO_UDP or IPPROTO_TCP. */
  readonly ipProtocol: number;
  /** Which end has which port; both absent: whatever the ports. */
  readonly end?: "source" | "destination";
  readonly port?: number;
  readonly table: number;
}

/** See proof.ts. */
export interface ProofPlan {
  readonly table: number;
  readonly rules: readonly ProofRule[];
  readonly routes: readonly RoutePlan[];
}

/**
 * Addresses of services that this host tells its routers. A packet for one of them that no service proxy has
 * taken would go back to a router, and come again.
 */
export interface UnservedPlan {
  readonly cidrs: readonly Prefix[];
  /** What becomes of it instead. */
  readonly action: "drop" | "reject";
}

/** Everything in it is of one family. */
export interface FirewallPlan {
  /** Every pool: traffic to these is never translated. */
  readonly pools: readonly Prefix[];
  /** Pools with natOutgoing. */
  readonly masqueradedPools: readonly Prefix[];
  /** Hosts excluded from translation as well, when natOutgoingExclusions says so. */
  readonly excludedHosts: readonly IpAddress[];
  readonly natPortRange?: string;
  readonly natOutgoingAddress?: IpAddress;
  /** Accept protocol 4 from these only; absent: no rule about protocol 4, as always in IPv6. */
  readonly ipipSenders?: readonly Prefix[];
  /** Accept VXLAN from these only; absent: no rule about its port. */
  readonly vxlanSenders?: readonly Prefix[];
  readonly vxlanPort: number;
  readonly unserved?: UnservedPlan;
  /** Tunnel devices whose traffic from other host addresses is masqueraded to the tunnel's own. */
  readonly tunnels: readonly string[];
  /** An address of this host that stays the source of what it sends, whatever device that leaves by. */
  readonly probeAddress?: IpAddress;
}

export interface SysctlPlan {
  /** Path below /proc/sys: `net/ipv4/ip_forward`. Device names may contain dots. */
  readonly path: string;
  readonly value: string;
  /** Write only when the kernel would filter strictly: this or conf/all reads 1. */
  readonly onlyIfStrict?: boolean;
  /** Write only when this reads so. */
  readonly onlyIf?: string;
  readonly reason: string;
}

/** What pods that run are limited to now: see pod-mtu.ts. */
export interface PodMtu {
  /** Largest packet they may send. */
  readonly send: number;
  /** Largest they must take: the MTU of their devices, never less than `send`. */
  readonly accept: number;
  /** MTUs that an agent or a CNI plugin gives here. A pod with any other was given it by hand. */
  readonly known: readonly number[];
}

export interface PodMtuPlan extends PodMtu {
  /** Host ends of the pods' veths. */
  readonly devices: readonly string[];
}

export interface MtuPlan {
  /** Of the fabric, as the host's interfaces have it. */
  readonly host: number;
  /** What fits into every encapsulation that this node may meet now. */
  readonly pods: number;
}

export interface NodePlan {
  readonly node: string;
  readonly uplink: string;
  readonly ipip?: IpipPlan;
  readonly vxlan?: VxlanPlan;
  readonly vxlan6?: VxlanPlan;
  readonly addresses: readonly AddressPlan[];
  readonly routes: readonly RoutePlan[];
  /** Absent: nothing is to be proved, and nothing of a proof stays. */
  readonly proof?: ProofPlan;
  /** IPv4: table `ip switchyard`. */
  readonly firewall: FirewallPlan;
  /** IPv6: table `ip6 switchyard`; absent on a node that has no IPv6. */
  readonly firewall6?: FirewallPlan;
  readonly sysctls: readonly SysctlPlan[];
  readonly mtu: MtuPlan;
  /** Of running pods; absent: they stay as they were made. */
  readonly podMtu?: PodMtuPlan;
  readonly destinations: readonly Destination[];
  /** Route protocols that are ours in table main: routes with these and not in the plan are removed. */
  readonly ownedProtocols: readonly number[];
  /** Prefix of workload devices (`cali`): their /32 and /128 routes are ours. */
  readonly workloadDevicePrefix: string;
  /** Owned routes that are not in the plan stay for now. */
  readonly keepUnplannedRoutes: boolean;
}
