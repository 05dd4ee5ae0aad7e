/** IFLA_*, IFLA_INFO_* and the attributes of the link kinds this product makes (linux/if_link.h). */

import { attributeTable, nested } from "./attribute.ts";
import { bool8, bytes, ipv4Address, ipv6Address, mac, text, u8, u16be, u32 } from "./codecs.ts";

export const linkInfo = attributeTable("IFLA_INFO", {
  kind: [1, text],
  /** Its meaning depends on the kind. */
  data: [2, bytes],
});

export const linkAttributes = attributeTable("IFLA", {
  mac: [1, mac],
  name: [3, text],
  mtu: [4, u32],
  link: [5, u32],
  master: [10, u32],
  operState: [16, u8],
  info: [18, nested(linkInfo)],
  statistics: [23, bytes],
  namespaceFd: [28, u32],
  /** RTEXT_FILTER_*. */
  extendedMask: [29, u32],
  linkNetnsId: [37, u32],
});

export const vxlanData = attributeTable("IFLA_VXLAN", {
  vni: [1, u32],
  device: [3, u32],
  local4: [4, ipv4Address],
  learning: [7, bool8],
  port: [15, u16be],
  local6: [17, ipv6Address],
});

export const ipipData = attributeTable("IFLA_IPTUN", {
  local: [2, ipv4Address],
  remote: [3, ipv4Address],
  ttl: [4, u8],
  pathMtuDiscovery: [10, bool8],
});

/** VETH_INFO_PEER: struct ifinfomsg and IFLA_* of the other end. */
export const vethData = attributeTable("VETH_INFO", { peer: [1, bytes] });
