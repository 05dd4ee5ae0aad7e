/** RTA_* and RTAX_*: the attributes of routes (linux/rtnetlink.h). */

import { attributeTable, nested } from "./attribute.ts";
import { address, bytes, u8, u32, via } from "./codecs.ts";

/** struct rtmsg. */
export const RTMSG_BYTES = 12;

export const routeMetrics = attributeTable("RTAX", { mtu: [2, u32] });

export const routeAttributes = attributeTable("RTA", {
  destination: [1, address],
  source: [2, address],
  inputDevice: [3, u32],
  device: [4, u32],
  gateway: [5, address],
  metric: [6, u32],
  preferredSource: [7, address],
  metrics: [8, nested(routeMetrics)],
  /** struct rtnexthop, several. */
  nextHops: [9, bytes],
  table: [15, u32],
  mark: [16, u32],
  /** A gateway of the other family. */
  via: [18, via],
  preference: [20, u8],
});

export const nextHopAttributes = attributeTable("RTA", {
  gateway: [5, address],
  via: [18, via],
});

/** RTNH_F_*, as iproute2 prints them; `onlink` is kept apart. */
export const nextHopFlags = [
  [0x01, "dead"],
  [0x02, "pervasive"],
  [0x08, "offload"],
  [0x40, "trap"],
  [0x10, "linkdown"],
  [0x20, "unresolved"],
  [0x4000, "rt_offload"],
  [0x8000, "rt_trap"],
] as const;
