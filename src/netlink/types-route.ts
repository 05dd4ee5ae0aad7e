/** Routes, nexthop objects and policy rules, in the kernel's own names. */

import type { Family, IpAddress, Ipv4, Ipv6, Prefix } from "../lib/index.ts";
import type { PortRange } from "./types-link.ts";

/** RTN_*: what becomes of a packet that matches. */
export type RouteType =
  | "unicast"
  | "blackhole"
  | "unreachable"
  | "prohibit"
  | "throw"
  | "local"
  /** Only read, in the local table: the last three. */
  | "broadcast"
  | "anycast"
  | "multicast";

export interface Route {
  readonly type: RouteType;
  readonly destination: Prefix;
  /** 254 (main) unless told; always there when read. */
  readonly table?: number;
  /**
   * 0 unless told (the kernel makes that 1024 for IPv6). Part of the kernel's key, with table,
   * destination and tos. Always there when read.
   */
  readonly metric?: number;
  /** RTPROT_*: 2 kernel, 3 boot, 4 static, 12 bird, 80 felix. */
  readonly protocol: number;
  /** `global`, `link`, `host`; derived from the rest when not told, as iproute2 does. */
  readonly scope?: string;
  readonly gateway?: IpAddress;
  /** Interface index. */
  readonly device?: number;
  readonly onlink?: boolean;
  /** Preferred source address. */
  readonly source?: IpAddress;
  readonly mtu?: number;
  /** RTAX_* other than the MTU. */
  readonly metrics?: RouteMetrics;
  /** Type of service; part of the kernel's key for IPv4. */
  readonly tos?: number;
  /** IPv6 only: the source prefix of a source-specific route (RFC 8043); part of the kernel's key. */
  readonly from?: Prefix;
  /** A nexthop object; the kernel gives back its gateway and device, too. */
  readonly nextHopId?: number;
  /** A lightweight tunnel. */
  readonly encap?: RouteEncap;
  /** Next hops of a multipath route; `gateway` and `device` are then unset. */
  readonly nextHops?: readonly RouteNextHop[];
  /** Only read: `dead`, `linkdown`, `offload`, ... of the route or of any next hop. */
  readonly flags?: readonly string[];
  /** Only read, IPv6: `low`, `medium`, `high` (RFC 4191). */
  readonly preference?: string;
}

export interface RouteNextHop {
  readonly gateway?: IpAddress;
  readonly device: number;
  readonly weight?: number;
  readonly onlink?: boolean;
  readonly encap?: RouteEncap;
}

/** What a route tells TCP and the path; times the kernel keeps in fractions of milliseconds. */
export interface RouteMetrics {
  /** Which of them (and `mtu`) the kernel must not change by itself. */
  readonly locked?: readonly string[];
  readonly window?: number;
  readonly rttMs?: number;
  readonly rttvarMs?: number;
  readonly ssthresh?: number;
  readonly cwnd?: number;
  readonly advmss?: number;
  readonly reordering?: number;
  readonly hopLimit?: number;
  readonly initcwnd?: number;
  readonly initrwnd?: number;
  /** Explicit congestion notification (RFC 3168). */
  readonly ecn?: boolean;
  readonly rtoMinMs?: number;
  readonly quickack?: boolean;
  readonly congestionControl?: string;
  readonly fastOpenNoCookie?: boolean;
}

interface IpEncap<Kind, Address> {
  readonly kind: Kind;
  /** Tunnel key: a VNI, for instance. */
  readonly id?: number;
  readonly destination?: Address;
  readonly source?: Address;
  /** Hop limit, of IPv6. */
  readonly ttl?: number;
  /** Traffic class, of IPv6. */
  readonly tos?: number;
  /** TUNNEL_* bits: 1 checksum, 4 key, 8 sequence. */
  readonly flags?: number;
}

export interface BpfProgram {
  /** Only written. */
  readonly fd?: number;
  readonly name?: string;
}

/** LWTUNNEL_ENCAP_*. */
export type RouteEncap =
  | IpEncap<"ip", Ipv4>
  | IpEncap<"ip6", Ipv6>
  | { readonly kind: "mpls"; readonly labels: readonly number[]; readonly ttl?: number }
  | {
      readonly kind: "bpf";
      readonly in?: BpfProgram;
      readonly out?: BpfProgram;
      readonly xmit?: BpfProgram;
      readonly headroomBytes?: number;
    }
  /** One this library has no table for. */
  | { readonly kind: "other"; readonly type: number; readonly data: Uint8Array };

/** RTM_NEWNEXTHOP: a next hop, or a group of them, that routes name by `id`. */
export interface NextHopObject {
  /** 0 unless told: the kernel chooses. */
  readonly id?: number;
  /** RTPROT_*. */
  readonly protocol?: number;
  readonly gateway?: IpAddress;
  readonly device?: number;
  /** Needed where no gateway tells it. */
  readonly family?: Family;
  readonly onlink?: boolean;
  readonly blackhole?: boolean;
  /** For forwarding entries of a vxlan device: the remote VTEP. */
  readonly fdb?: boolean;
  readonly encap?: RouteEncap;
  /** Members of a group, and nothing else then but `fdb` and `resilient`. */
  readonly group?: readonly NextHopGroupMember[];
  readonly resilient?: ResilientGroup;
  readonly scope?: string;
  /** Only read: `dead`, `linkdown`, ... */
  readonly flags?: readonly string[];
}

export interface NextHopGroupMember {
  readonly id: number;
  /** 1 unless told. */
  readonly weight?: number;
}

/** A group whose flows stay where they are when members change. */
export interface ResilientGroup {
  readonly buckets?: number;
  readonly idleTimerCentiseconds?: number;
  readonly unbalancedTimerCentiseconds?: number;
}

export interface Rule {
  readonly family: Family;
  readonly priority: number;
  readonly table: number;
  readonly source?: Prefix;
  readonly destination?: Prefix;
  readonly mark?: number;
  readonly mask?: number;
  readonly tos?: number;
  /** FIB_RULE_INVERT: the rule matches what its selectors do not. */
  readonly invert?: boolean;
  readonly inputInterface?: string;
  readonly outputInterface?: string;
  /** Owners of the packet's socket, both included. */
  readonly userIds?: { readonly low: number; readonly high: number };
  /** IPPROTO_* of the packet: 6 TCP, 17 UDP, ... */
  readonly ipProtocol?: number;
  readonly sourcePorts?: PortRange;
  readonly destinationPorts?: PortRange;
  readonly tunnelId?: number;
  /** The table is that of the interface's VRF. */
  readonly l3mdev?: boolean;
  /** FR_ACT_* other than a table: `goto`, `nop`, `blackhole`, `unreachable`, `prohibit`. */
  readonly action?: string;
  /** The priority of the rule to go on with; with action `goto`. */
  readonly goto?: number;
  /** Only read: there is no rule to go to. */
  readonly unresolved?: boolean;
  /** Routes with this length or shorter do not count. */
  readonly suppressPrefixLength?: number;
  /** Routes by links of this group do not count. */
  readonly suppressGroup?: number;
  /** RTPROT_*: who added it. */
  readonly protocol?: number;
}
