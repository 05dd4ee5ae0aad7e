/** IFLA_VXLAN_*: everything `ip -d link` shows of a VXLAN device (linux/if_link.h). */

import type { IpAddress } from "../lib/index.ts";
import { type AttributeCodec, attributeTable } from "./attribute.ts";
import { bool8, flag, ipv4Address, ipv6Address, u8, u16be, u32, u32be } from "./codecs.ts";
import { defined } from "./header.ts";
import { Names } from "./names.ts";
import type { PortRange, VxlanAttributes } from "./types-link.ts";

/** struct ifla_vxlan_port_range. */
const portRange: AttributeCodec<PortRange> = {
  what: "port range",
  accepts: (length) => length === 4,
  read: (view, offset) => ({ low: view.getUint16(offset), high: view.getUint16(offset + 2) }),
  write(writer, { low, high }) {
    writer.u16be(low);
    writer.u16be(high);
  },
};

/** Written as a flag, read as a byte: the kernel is not consistent with itself here. */
const flagOrByte: AttributeCodec<boolean> = {
  what: "flag",
  accepts: (length) => length <= 1,
  read: (view, offset, length) => length === 0 || view.getUint8(offset) !== 0,
  write: () => {},
};

export const vxlanData = attributeTable("IFLA_VXLAN", {
  vni: [1, "IFLA_VXLAN_ID", u32],
  group4: [2, "IFLA_VXLAN_GROUP", ipv4Address],
  device: [3, "IFLA_VXLAN_LINK", u32],
  local4: [4, "IFLA_VXLAN_LOCAL", ipv4Address],
  ttl: [5, "IFLA_VXLAN_TTL", u8],
  tos: [6, "IFLA_VXLAN_TOS", u8],
  learning: [7, "IFLA_VXLAN_LEARNING", bool8],
  ageingSeconds: [8, "IFLA_VXLAN_AGEING", u32],
  limit: [9, "IFLA_VXLAN_LIMIT", u32],
  portRange: [10, "IFLA_VXLAN_PORT_RANGE", portRange],
  proxy: [11, "IFLA_VXLAN_PROXY", bool8],
  rsc: [12, "IFLA_VXLAN_RSC", bool8],
  l2miss: [13, "IFLA_VXLAN_L2MISS", bool8],
  l3miss: [14, "IFLA_VXLAN_L3MISS", bool8],
  port: [15, "IFLA_VXLAN_PORT", u16be],
  group6: [16, "IFLA_VXLAN_GROUP6", ipv6Address],
  local6: [17, "IFLA_VXLAN_LOCAL6", ipv6Address],
  udpChecksum: [18, "IFLA_VXLAN_UDP_CSUM", bool8],
  udpZeroChecksum6Tx: [19, "IFLA_VXLAN_UDP_ZERO_CSUM6_TX", bool8],
  udpZeroChecksum6Rx: [20, "IFLA_VXLAN_UDP_ZERO_CSUM6_RX", bool8],
  remoteChecksumTx: [21, "IFLA_VXLAN_REMCSUM_TX", bool8],
  remoteChecksumRx: [22, "IFLA_VXLAN_REMCSUM_RX", bool8],
  gbp: [23, "IFLA_VXLAN_GBP", flag],
  remoteChecksumNoPartial: [24, "IFLA_VXLAN_REMCSUM_NOPARTIAL", flag],
  external: [25, "IFLA_VXLAN_COLLECT_METADATA", bool8],
  flowLabel: [26, "IFLA_VXLAN_LABEL", u32be],
  gpe: [27, "IFLA_VXLAN_GPE", flag],
  ttlInherit: [28, "IFLA_VXLAN_TTL_INHERIT", flagOrByte],
  df: [29, "IFLA_VXLAN_DF", u8],
  vniFilter: [30, "IFLA_VXLAN_VNIFILTER", bool8],
  /** Kernel 6.4. */
  localBypass: [31, "IFLA_VXLAN_LOCALBYPASS", bool8],
});

const TOS_INHERIT = 1;

const dfs = new Names("DF setting", { 0: "unset", 1: "set", 2: "inherit" });

type VxlanValues = Parameters<typeof vxlanData.encode>[1];

const ipv4 = (address: IpAddress | undefined) =>
  typeof address === "number" ? address : undefined;
const ipv6 = (address: IpAddress | undefined) =>
  typeof address === "bigint" ? address : undefined;

/** What is not told is left to the kernel; in a change it stays as it was. */
export function vxlanValues(vxlan: Partial<VxlanAttributes>): VxlanValues {
  const { local, group, ttl, tos, df, gbp, gpe, remoteChecksumNoPartial, ...same } = vxlan;
  return {
    ...same,
    group4: ipv4(group),
    group6: ipv6(group),
    local4: ipv4(local),
    local6: ipv6(local),
    ttl: ttl === "auto" ? 0 : ttl === "inherit" ? undefined : ttl,
    ttlInherit: ttl === "inherit" || undefined,
    tos: tos === "inherit" ? TOS_INHERIT : tos,
    df: df === undefined ? undefined : dfs.number(df),
    gbp: gbp || undefined,
    gpe: gpe || undefined,
    remoteChecksumNoPartial: remoteChecksumNoPartial || undefined,
  };
}

/** @throws NETLINK_MALFORMED. */
export function decodeVxlan(view: DataView): VxlanAttributes {
  const values = vxlanData.decode(view, 0, view.byteLength);
  const { vni, port, learning, device, local4, local6, group4, group6, ttl, ttlInherit } = values;
  const { tos, df, ...same } = values;
  return defined({
    ...withoutKeys(same),
    vni: vni ?? 0,
    port: port ?? 0,
    learning: learning ?? false,
    device: device || undefined,
    // An unset address of the one family comes as zeros, that of the other not at all.
    local: local4 || local6 || undefined,
    group: group4 || group6 || undefined,
    ttl: ttlInherit ? "inherit" : ttl === 0 ? "auto" : ttl,
    tos: tos === TOS_INHERIT ? "inherit" : tos,
    df: df === undefined ? undefined : (dfs.name(df) as VxlanAttributes["df"]),
  });
}

/** What has the same name and meaning on both sides. */
function withoutKeys(values: VxlanValues) {
  const { local4: _a, local6: _b, group4: _c, group6: _d, ttlInherit: _e, ...same } = values;
  return same as Omit<typeof same, "ttl" | "tos" | "df">;
}
