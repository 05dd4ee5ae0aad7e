/** What callers see of rtnetlink: kernel objects with the kernel's own names, addresses as numbers. */

import type { Family, IpAddress, Prefix } from "../lib/index.ts";
import type { AttributeTable } from "./attribute.ts";
import type { Link } from "./types-link.ts";
import type { NextHopObject, Route, Rule } from "./types-route.ts";
import type { Writer } from "./writer.ts";

export type * from "./types-link.ts";
export type * from "./types-route.ts";

export interface LinkAddress {
  readonly index: number;
  /** Address with the length of its subnet; host bits kept. */
  readonly prefix: Prefix;
  /** The other end of a point-to-point link; unset where there is none. */
  readonly peer?: IpAddress;
  readonly broadcast?: IpAddress;
  /** IFA_LABEL (`eth0`), IPv4 only. */
  readonly label?: string;
  /** IFAPROT_*: who added it (kernel 5.18); unset where nobody said. */
  readonly protocol?: number;
  /** `global`, `link`, `host`. */
  readonly scope: string;
  /** Only read: IFA_F_* as `permanent`, `secondary`, `tentative`, `dadfailed`, `nodad`, `deprecated`. */
  readonly flags?: readonly string[];
  /** Only written: IPv6 address is usable at once, without duplicate address detection. */
  readonly nodad?: boolean;
}

export interface Neighbour {
  readonly index: number;
  readonly address: IpAddress;
  readonly mac?: string;
  /** NUD_*: `permanent`, `reachable`, `stale`, `failed`, `noarp`, ... */
  readonly state: string;
  /** RTPROT_*: who added it (kernel 5.2). */
  readonly protocol?: number;
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
  /** A nexthop object (`fdb`) instead of one remote. */
  readonly nextHopId?: number;
}

/** One change for {@link RouteSocket.execute}; made by the functions of `requests.ts`. */
export interface Request {
  /** nlmsg_type. */
  readonly type: number;
  /** NLM_F_* beyond NLM_F_REQUEST. */
  readonly flags: number;
  readonly payload: Uint8Array;
  /**
   * Writes the payload where it is sent from. There on requests that come in thousands, whose `payload`
   * is then made only when somebody asks for it.
   */
  readonly write?: (writer: Writer) => void;
  /** Where the payload's attributes begin, and their table; names the attribute a refusal is about. */
  readonly layout?: RequestLayout | undefined;
  /** What it attempts, in the words of iproute2 (`route replace 10.0.0.0/26 via ...`); used in errors. */
  readonly text: string;
}

export interface RequestLayout {
  readonly headerBytes: number;
  readonly table: AttributeTable<object>;
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
  | "next-hop"
  /** Ids that this namespace gives to others. */
  | "netns-id"
  /** ARP, ND and forwarding entries: the kernel has one group for the three. */
  | "neighbour";

export type NetlinkEvent =
  | { readonly kind: "link"; readonly removed: boolean; readonly link: Link }
  | { readonly kind: "address"; readonly removed: boolean; readonly address: LinkAddress }
  | { readonly kind: "route"; readonly removed: boolean; readonly route: Route }
  | { readonly kind: "rule"; readonly removed: boolean; readonly rule: Rule }
  | { readonly kind: "fdb"; readonly removed: boolean; readonly entry: FdbEntry }
  | { readonly kind: "neighbour"; readonly removed: boolean; readonly neighbour: Neighbour }
  | { readonly kind: "next-hop"; readonly removed: boolean; readonly nextHop: NextHopObject }
  | { readonly kind: "netns-id"; readonly removed: boolean; readonly netnsId: number }
  /** Events were lost (ENOBUFS): read the tables again. */
  | { readonly kind: "overrun" };
