/** Links and what the kinds of links are made with, in the kernel's own names. */

import type { IpAddress, Ipv4 } from "../lib/index.ts";

export interface Link extends LinkKindAttributes {
  readonly index: number;
  readonly name: string;
  /** IFLA_INFO_KIND: `veth`, `vxlan`, `ipip`, `bridge`, `ifb`, ...; undefined for plain devices and `lo`. */
  readonly kind?: string;
  /** Lower-case `aa:bb:...`; undefined on devices without a link-layer address. */
  readonly mac?: string;
  readonly mtu: number;
  /** The smallest and largest MTU it takes; 0: no such limit. */
  readonly minMtu?: number;
  readonly maxMtu?: number;
  /** Administratively up (IFF_UP). */
  readonly up: boolean;
  /** IFF_NOARP is not set. */
  readonly arp: boolean;
  /** IFLA_OPERSTATE as `ip link` prints it: UP, DOWN, UNKNOWN, LOWERLAYERDOWN, ... */
  readonly operState: string;
  readonly carrier?: boolean;
  readonly txQueueLength?: number;
  /** A text for people (`ip link set alias`). */
  readonly alias?: string;
  /** Of links (`ip link set group`); unset for group 0, `default`. */
  readonly group?: number;
  /** Index of the bridge or bond it is enslaved to. */
  readonly master?: number;
  /** IFLA_LINK: the peer of a veth. (The parent of a vxlan is in `vxlan.device`.) */
  readonly link?: number;
  /** IFLA_LINK_NETNSID: `link` is an index in that namespace, not in this one. */
  readonly linkNetnsId?: number;
  /** Of the port of a bridge. */
  readonly bridgePort?: BridgePortAttributes;
}

/** At most one of them is there: that of the link's kind. */
export interface LinkKindAttributes {
  readonly vxlan?: VxlanAttributes;
  readonly ipip?: IpipAttributes;
  readonly bridge?: BridgeAttributes;
  readonly macvlan?: MacvlanAttributes;
  readonly tun?: TunAttributes;
}

/** Ports of transport protocols, both included. */
export interface PortRange {
  readonly low: number;
  readonly high: number;
}

/** The first five are always told; the kernel has a default for each of the others, and says it when read. */
export interface VxlanAttributes {
  readonly vni: number;
  /** UDP destination port. */
  readonly port: number;
  readonly local?: IpAddress;
  /** Interface index of the underlying device. */
  readonly device?: number;
  readonly learning: boolean;
  /** Multicast group, or the one remote of a point-to-point tunnel. */
  readonly group?: IpAddress;
  /** Of outer packets; `auto` (the kernel's choice) unless told. */
  readonly ttl?: number | "auto" | "inherit";
  readonly tos?: number | "inherit";
  /** Of outer IPv6 packets. */
  readonly flowLabel?: number;
  /** The don't-fragment bit of outer IPv4 packets. */
  readonly df?: "unset" | "set" | "inherit";
  /** Life of learned entries; 300 unless told. */
  readonly ageingSeconds?: number;
  /** Most learned entries; 0 (no limit) unless told. */
  readonly limit?: number;
  /** UDP source ports; { low: 0, high: 0 } is the host's local port range. */
  readonly portRange?: PortRange;
  /** Answers ARP requests from its own neighbour table. */
  readonly proxy?: boolean;
  /** Route short circuit. */
  readonly rsc?: boolean;
  /** Reports destinations that are not in the forwarding or neighbour table. */
  readonly l2miss?: boolean;
  readonly l3miss?: boolean;
  readonly udpChecksum?: boolean;
  readonly udpZeroChecksum6Tx?: boolean;
  readonly udpZeroChecksum6Rx?: boolean;
  readonly remoteChecksumTx?: boolean;
  readonly remoteChecksumRx?: boolean;
  readonly remoteChecksumNoPartial?: boolean;
  /** Group policy extension; only there when on. */
  readonly gbp?: boolean;
  /** Generic protocol extension; only there when on. */
  readonly gpe?: boolean;
  /** Flow-based: each packet brings its own tunnel metadata (IFLA_VXLAN_COLLECT_METADATA). */
  readonly external?: boolean;
  /** Only VNIs of the device's filter are taken; with `external`. */
  readonly vniFilter?: boolean;
  readonly localBypass?: boolean;
}

export interface IpipAttributes {
  readonly local?: Ipv4;
  readonly remote?: Ipv4;
  readonly device?: number;
  /** Unset: inherited from the inner packet. */
  readonly ttl?: number;
  readonly tos?: number;
  readonly pathMtuDiscovery: boolean;
}

/** Times are in hundredths of a second, the kernel's USER_HZ. */
export interface BridgeAttributes {
  readonly forwardDelayCentiseconds?: number;
  readonly helloTimeCentiseconds?: number;
  readonly maxAgeCentiseconds?: number;
  readonly ageingTimeCentiseconds?: number;
  /** 0 off, 1 by the kernel, 2 by a daemon. */
  readonly stpState?: number;
  readonly priority?: number;
  readonly vlanFiltering?: boolean;
  /** 0x8100 (802.1Q) or 0x88a8 (802.1ad). */
  readonly vlanProtocol?: number;
  readonly groupForwardMask?: number;
  readonly groupAddress?: string | undefined;
  readonly multicastRouter?: number;
  readonly multicastSnooping?: boolean;
  readonly multicastQuerier?: boolean;
  readonly nfCallIptables?: boolean;
  readonly nfCallIp6tables?: boolean;
  readonly nfCallArptables?: boolean;
  readonly vlanDefaultPvid?: number;
  readonly vlanStatistics?: boolean;
  /** The last four are only read. `8000.2:0:0:0:0:1` */
  readonly rootId?: string;
  readonly bridgeId?: string;
  readonly rootPort?: number;
  readonly rootPathCost?: number;
}

export interface BridgePortAttributes {
  /** `disabled`, `listening`, `learning`, `forwarding`, `blocking`. */
  readonly state?: string;
  readonly priority?: number;
  readonly cost?: number;
  readonly hairpin?: boolean;
  readonly guard?: boolean;
  readonly rootBlock?: boolean;
  readonly fastLeave?: boolean;
  readonly learning?: boolean;
  readonly flood?: boolean;
  readonly proxyArp?: boolean;
  readonly proxyArpWifi?: boolean;
  readonly multicastRouter?: number;
  readonly multicastFlood?: boolean;
  readonly multicastToUnicast?: boolean;
  readonly vlanTunnel?: boolean;
  readonly broadcastFlood?: boolean;
  readonly groupForwardMask?: number;
  readonly neighbourSuppress?: boolean;
  readonly isolated?: boolean;
  readonly backupPort?: number;
  readonly locked?: boolean;
}

export type MacvlanMode = "private" | "vepa" | "bridge" | "passthru" | "source";

export interface MacvlanAttributes {
  readonly mode: MacvlanMode;
  /** Of `passthru`: the parent stays out of promiscuous mode. */
  readonly noPromiscuous?: boolean;
}

export type TunMode = "tun" | "tap";

/** Only read: tun devices come from /dev/net/tun (`openTun`). */
export interface TunAttributes {
  readonly mode: TunMode;
  readonly owner?: number;
  readonly group?: number;
  readonly packetInformation?: boolean;
  readonly vnetHeader?: boolean;
  /** It stays when no process holds it open. */
  readonly persist?: boolean;
  readonly multiQueue?: boolean;
  readonly queues?: number;
  readonly disabledQueues?: number;
}

/** IFLA_STATS64 (struct rtnl_link_stats64), since the link was made. */
export interface LinkStatistics {
  readonly rxPackets: number;
  readonly txPackets: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxErrors: number;
  readonly txErrors: number;
  readonly rxDropped: number;
  readonly txDropped: number;
  readonly multicast: number;
  readonly collisions: number;
  readonly rxLengthErrors: number;
  readonly rxOverErrors: number;
  readonly rxCrcErrors: number;
  readonly rxFrameErrors: number;
  readonly rxFifoErrors: number;
  readonly rxMissedErrors: number;
  readonly txAbortedErrors: number;
  readonly txCarrierErrors: number;
  readonly txFifoErrors: number;
  readonly txHeartbeatErrors: number;
  readonly txWindowErrors: number;
  readonly rxCompressed: number;
  readonly txCompressed: number;
  /** Kernel 2.6.28. */
  readonly rxNoHandler?: number;
}

interface LinkSpecBase {
  readonly name: string;
  readonly mac?: string;
  readonly mtu?: number;
  readonly up?: boolean;
  readonly alias?: string;
  readonly txQueueLength?: number;
  readonly txQueues?: number;
  readonly rxQueues?: number;
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
  | (LinkSpecBase & { readonly kind: "bridge"; readonly bridge?: BridgeAttributes })
  | (LinkSpecBase & {
      readonly kind: "macvlan";
      /** Index of the parent. */
      readonly link: number;
      readonly macvlan: MacvlanAttributes;
    })
  | (LinkSpecBase & { readonly kind: "ifb" | "dummy" | "wireguard" });

export interface LinkChanges {
  readonly up?: boolean;
  readonly mtu?: number;
  readonly mac?: string;
  readonly name?: string;
  readonly alias?: string;
  readonly txQueueLength?: number;
  readonly group?: number;
  /** Bridge index; 0 releases. */
  readonly master?: number;
  /** Path of a network namespace to move the link to. */
  readonly namespace?: string;
  readonly arp?: boolean;
  /** What the kind can change of itself after it was made; the rest the kernel refuses. */
  readonly vxlan?: Partial<VxlanAttributes>;
  readonly bridge?: BridgeAttributes;
  readonly macvlan?: MacvlanAttributes;
  /** Of a port of a bridge. */
  readonly bridgePort?: BridgePortAttributes;
}
