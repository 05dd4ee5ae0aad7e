/** What callers see of rtnetlink: kernel objects with the kernel's own names, addresses as numbers. */

import type { Family, IpAddress, Ipv4, Prefix } from "../lib/index.ts";

export interface Link {
  readonly index: number;
  readonly name: string;
  /** IFLA_INFO_KIND: `veth`, `vxlan`, `ipip`, `bridge`, `ifb`, ...; undefined for plain devices and `lo`. */
  readonly kind?: string;
  /** Lower-case `aa:bb:...`; undefined on devices without a link-layer address. */
  readonly mac?: string;
  readonly mtu: number;
  /** Administratively up (IFF_UP). */
  readonly up: boolean;
  /** IFF_NOARP is not set. */
  readonly arp: boolean;
  /** IFLA_OPERSTATE as `ip link` prints it: UP, DOWN, UNKNOWN, LOWERLAYERDOWN, ... */
  readonly operState: string;
  /** Index of the bridge or bond it is enslaved to. */
  readonly master?: number;
  /** IFLA_LINK: the peer of a veth. (The parent of a vxlan is in `vxlan.device`.) */
  readonly link?: number;
  /** IFLA_LINK_NETNSID: `link` is an index in that namespace, not in this one. */
  readonly linkNetnsId?: number;
  readonly vxlan?: VxlanAttributes;
  readonly ipip?: IpipAttributes;
}

export interface VxlanAttributes {
  readonly vni: number;
  /** UDP destination port. */
  readonly port: number;
  readonly local?: IpAddress;
  /** Interface index of the underlying device. */
  readonly device?: number;
  readonly learning: boolean;
}

export interface IpipAttributes {
  readonly local?: Ipv4;
  readonly remote?: Ipv4;
  readonly ttl?: number;
  readonly pathMtuDiscovery: boolean;
}

/** IFLA_STATS64, since the link was made. */
export interface LinkStatistics {
  readonly rxPackets: number;
  readonly txPackets: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxErrors: number;
  readonly txErrors: number;
  readonly rxDropped: number;
  readonly txDropped: number;
}

interface LinkSpecBase {
  readonly name: string;
  readonly mac?: string;
  readonly mtu?: number;
  readonly up?: boolean;
}

/** A link to create. `namespace` is the path of a network namespace (`/run/netns/x`). */
export type LinkSpec =
  | (LinkSpecBase & {
      readonly kind: "veth";
      readonly peer: {
        readonly name: string;
        readonly mac?: string;
        readonly mtu?: number;
        readonly up?: boolean;
        readonly namespace?: string;
      };
    })
  | (LinkSpecBase & { readonly kind: "vxlan"; readonly vxlan: VxlanAttributes })
  | (LinkSpecBase & { readonly kind: "ipip"; readonly ipip?: Partial<IpipAttributes> })
  | (LinkSpecBase & { readonly kind: "bridge" | "ifb" | "dummy" });

export interface LinkChanges {
  readonly up?: boolean;
  readonly mtu?: number;
  readonly mac?: string;
  readonly name?: string;
  /** Bridge index; 0 releases. */
  readonly master?: number;
  /** Path of a network namespace to move the link to. */
  readonly namespace?: string;
  readonly arp?: boolean;
}

export interface LinkAddress {
  readonly index: number;
  /** Address with the length of its subnet; host bits kept. */
  readonly prefix: Prefix;
  /** The other end of a point-to-point link; unset where there is none. */
  readonly peer?: IpAddress;
  readonly broadcast?: IpAddress;
  /** IFA_LABEL (`eth0`), IPv4 only. */
  readonly label?: string;
  /** `global`, `link`, `host`. */
  readonly scope: string;
  /** Only read: IFA_F_* as `permanent`, `secondary`, `tentative`, `dadfailed`, `nodad`, `deprecated`. */
  readonly flags?: readonly string[];
  /** Only written: IPv6 address is usable at once, without duplicate address detection. */
  readonly nodad?: boolean;
}

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
}

export interface Neighbour {
  readonly index: number;
  readonly address: IpAddress;
  readonly mac?: string;
  /** NUD_*: `permanent`, `reachable`, `stale`, `failed`, `noarp`, ... */
  readonly state: string;
}

export interface NeighbourFilter {
  readonly index?: number;
  readonly family?: Family;
}

/** A forwarding entry of a vxlan device or a bridge (AF_BRIDGE). */
export interface FdbEntry {
  readonly index: number;
  readonly mac: string;
  /** Remote VTEP. */
  readonly destination?: IpAddress;
  readonly state: string;
  /** Only read: `self` (an entry of the device itself), `master` (of its bridge), `extern_learn`, ... */
  readonly flags?: readonly string[];
  /** Only read: index of the bridge. */
  readonly master?: number;
  readonly vlan?: number;
}

export interface Rule {
  readonly family: Family;
  readonly priority: number;
  readonly table: number;
  readonly source?: Prefix;
  readonly destination?: Prefix;
  readonly mark?: number;
  readonly mask?: number;
  /** FIB_RULE_INVERT: the rule matches what its selectors do not. */
  readonly invert?: boolean;
  readonly inputInterface?: string;
  readonly outputInterface?: string;
  /** FR_ACT_* other than a table: `goto`, `nop`, `blackhole`, `unreachable`, `prohibit`. */
  readonly action?: string;
  /** Routes with this length or shorter do not count. */
  readonly suppressPrefixLength?: number;
  /** RTPROT_*: who added it. */
  readonly protocol?: number;
}

/** One change for {@link RouteSocket.execute}; made by the functions of `requests.ts`. */
export interface Request {
  /** nlmsg_type. */
  readonly type: number;
  /** NLM_F_* beyond NLM_F_REQUEST. */
  readonly flags: number;
  readonly payload: Uint8Array;
  /** What it attempts, in the words of iproute2 (`route replace 10.0.0.0/26 via ...`); used in errors. */
  readonly text: string;
}

export interface RouteFilter {
  readonly family?: Family;
  /** 254 (main) unless told; 0 for all tables. */
  readonly table?: number;
  readonly protocol?: number;
  readonly device?: number;
}

export type EventGroup =
  | "link"
  | "ipv4-address"
  | "ipv6-address"
  | "ipv4-route"
  | "ipv6-route"
  | "ipv4-rule"
  | "ipv6-rule"
  /** ARP, ND and forwarding entries: the kernel has one group for the three. */
  | "neighbour";

export type NetlinkEvent =
  | { readonly kind: "link"; readonly removed: boolean; readonly link: Link }
  | { readonly kind: "address"; readonly removed: boolean; readonly address: LinkAddress }
  | { readonly kind: "route"; readonly removed: boolean; readonly route: Route }
  | { readonly kind: "rule"; readonly removed: boolean; readonly rule: Rule }
  | { readonly kind: "fdb"; readonly removed: boolean; readonly entry: FdbEntry }
  | { readonly kind: "neighbour"; readonly removed: boolean; readonly neighbour: Neighbour }
  /** Events were lost (ENOBUFS): read the tables again. */
  | { readonly kind: "overrun" };
