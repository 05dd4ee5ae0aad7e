/** IFLA_* and IFLA_INFO_*: the attributes of every link (linux/if_link.h). */

import { attributeTable, dependent, type Nest, nested } from "./attribute.ts";
import { bool8, bytes, mac, s32, text, u8, u32 } from "./codecs.ts";
import { bridgePortData } from "./link-bridge.ts";
import { kindTable } from "./link-kinds.ts";

/** struct ifinfomsg. */
export const IFINFOMSG_BYTES = 16;

export const linkInfo = attributeTable("IFLA_INFO", {
  kind: [1, "IFLA_INFO_KIND", text],
  /** Its meaning depends on the kind. */
  data: [2, "IFLA_INFO_DATA", dependent(bytes, ({ kind }): Nest | undefined => dataNest(kind))],
  portKind: [4, "IFLA_INFO_SLAVE_KIND", text],
  portData: [
    5,
    "IFLA_INFO_SLAVE_DATA",
    dependent(bytes, ({ portKind }) =>
      portKind === "bridge" ? { table: bridgePortData } : undefined,
    ),
  ],
});

export const linkAttributes = attributeTable("IFLA", {
  mac: [1, "IFLA_ADDRESS", mac],
  name: [3, "IFLA_IFNAME", text],
  mtu: [4, "IFLA_MTU", u32],
  link: [5, "IFLA_LINK", u32],
  master: [10, "IFLA_MASTER", u32],
  txQueueLength: [13, "IFLA_TXQLEN", u32],
  operState: [16, "IFLA_OPERSTATE", u8],
  info: [18, "IFLA_LINKINFO", nested(linkInfo)],
  alias: [20, "IFLA_IFALIAS", text],
  statistics: [23, "IFLA_STATS64", bytes],
  group: [27, "IFLA_GROUP", u32],
  namespaceFd: [28, "IFLA_NET_NS_FD", u32],
  /** RTEXT_FILTER_*. */
  extendedMask: [29, "IFLA_EXT_MASK", u32],
  promiscuity: [30, "IFLA_PROMISCUITY", u32],
  txQueues: [31, "IFLA_NUM_TX_QUEUES", u32],
  rxQueues: [32, "IFLA_NUM_RX_QUEUES", u32],
  carrier: [33, "IFLA_CARRIER", bool8],
  linkNetnsId: [37, "IFLA_LINK_NETNSID", s32],
  gsoMaxSegments: [40, "IFLA_GSO_MAX_SEGS", u32],
  gsoMaxSizeBytes: [41, "IFLA_GSO_MAX_SIZE", u32],
  newNetnsId: [45, "IFLA_NEW_NETNSID", s32],
  minMtu: [50, "IFLA_MIN_MTU", u32],
  maxMtu: [51, "IFLA_MAX_MTU", u32],
});

/** VETH_INFO_PEER: struct ifinfomsg and IFLA_* of the other end. */
export const vethData = attributeTable("VETH_INFO", {
  peer: [
    1,
    "VETH_INFO_PEER",
    dependent(
      bytes,
      (): Nest => ({
        table: linkAttributes,
        runs: (_view, start, end) => [[start + IFINFOMSG_BYTES, end]],
      }),
    ),
  ],
});

function dataNest(kind: unknown): Nest | undefined {
  const table = kind === "veth" ? vethData : kindTable(kind);
  return table && { table };
}

export const linkLayout = { headerBytes: IFINFOMSG_BYTES, table: linkAttributes };
