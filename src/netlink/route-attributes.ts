/** RTA_* and RTAX_*: the attributes of routes (linux/rtnetlink.h). */

import { attributeTable, dependent, type Nest, nested } from "./attribute.ts";
import { address, bytes, u8, u16, u32, via } from "./codecs.ts";
import { encapTable } from "./encap.ts";
import { routeMetrics } from "./route-metrics.ts";

/** struct rtmsg. */
export const RTMSG_BYTES = 12;

/** RTA_ENCAP and NHA_ENCAP. */
export const encapCodec = dependent(bytes, ({ encapType }) => {
  const table = encapTable(encapType);
  return table && { table };
});

export const nextHopAttributes = attributeTable("RTA", {
  gateway: [5, "RTA_GATEWAY", address],
  via: [18, "RTA_VIA", via],
  encapType: [21, "RTA_ENCAP_TYPE", u16],
  encap: [22, "RTA_ENCAP", encapCodec],
});

/** struct rtnexthop: rtnh_len, rtnh_flags, rtnh_hops, rtnh_ifindex. */
export const RTNEXTHOP_BYTES = 8;

const nextHopList = dependent(
  bytes,
  (): Nest => ({
    table: nextHopAttributes,
    runs(view, start, end) {
      const runs: (readonly [number, number])[] = [];
      for (let at = start; at + RTNEXTHOP_BYTES <= end; ) {
        const length = Math.max(RTNEXTHOP_BYTES, view.getUint16(at, true));
        runs.push([at + RTNEXTHOP_BYTES, Math.min(end, at + length)]);
        at += (length + 3) & ~3;
      }
      return runs;
    },
  }),
);

export const routeAttributes = attributeTable("RTA", {
  destination: [1, "RTA_DST", address],
  source: [2, "RTA_SRC", address],
  inputDevice: [3, "RTA_IIF", u32],
  device: [4, "RTA_OIF", u32],
  gateway: [5, "RTA_GATEWAY", address],
  metric: [6, "RTA_PRIORITY", u32],
  preferredSource: [7, "RTA_PREFSRC", address],
  metrics: [8, "RTA_METRICS", nested(routeMetrics)],
  /** struct rtnexthop, several. */
  nextHops: [9, "RTA_MULTIPATH", nextHopList],
  table: [15, "RTA_TABLE", u32],
  mark: [16, "RTA_MARK", u32],
  /** A gateway of the other family. */
  via: [18, "RTA_VIA", via],
  preference: [20, "RTA_PREF", u8],
  encapType: [21, "RTA_ENCAP_TYPE", u16],
  encap: [22, "RTA_ENCAP", encapCodec],
  nextHopId: [30, "RTA_NH_ID", u32],
});

export const routeLayout = { headerBytes: RTMSG_BYTES, table: routeAttributes };

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
