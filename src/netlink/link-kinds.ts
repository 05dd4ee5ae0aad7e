/** What each kind of link carries in IFLA_INFO_DATA, by kind: tables, reading and writing. */

import { type AttributeTable, attributeTable } from "./attribute.ts";
import { bool8, ipv4Address, u8, u16, u32 } from "./codecs.ts";
import { defined } from "./header.ts";
import { bridgeData, bridgeValues, decodeBridge } from "./link-bridge.ts";
import { decodeVxlan, vxlanData, vxlanValues } from "./link-vxlan.ts";
import { Names } from "./names.ts";
import type { IpipAttributes, LinkKindAttributes, MacvlanMode, TunMode } from "./types-link.ts";
import { Writer } from "./writer.ts";

const ipipData = attributeTable("IFLA_IPTUN", {
  device: [1, "IFLA_IPTUN_LINK", u32],
  local: [2, "IFLA_IPTUN_LOCAL", ipv4Address],
  remote: [3, "IFLA_IPTUN_REMOTE", ipv4Address],
  ttl: [4, "IFLA_IPTUN_TTL", u8],
  tos: [5, "IFLA_IPTUN_TOS", u8],
  pathMtuDiscovery: [10, "IFLA_IPTUN_PMTUDISC", bool8],
});

const macvlanData = attributeTable("IFLA_MACVLAN", {
  mode: [1, "IFLA_MACVLAN_MODE", u32],
  flags: [2, "IFLA_MACVLAN_FLAGS", u16],
});

/** MACVLAN_MODE_*. */
const macvlanModes = new Names("macvlan mode", {
  1: "private",
  2: "vepa",
  4: "bridge",
  8: "passthru",
  16: "source",
});

const MACVLAN_FLAG_NOPROMISC = 1;

const tunData = attributeTable("IFLA_TUN", {
  owner: [1, "IFLA_TUN_OWNER", u32],
  group: [2, "IFLA_TUN_GROUP", u32],
  type: [3, "IFLA_TUN_TYPE", u8],
  packetInformation: [4, "IFLA_TUN_PI", bool8],
  vnetHeader: [5, "IFLA_TUN_VNET_HDR", bool8],
  persist: [6, "IFLA_TUN_PERSIST", bool8],
  multiQueue: [7, "IFLA_TUN_MULTI_QUEUE", bool8],
  queues: [8, "IFLA_TUN_NUM_QUEUES", u32],
  disabledQueues: [9, "IFLA_TUN_NUM_DISABLED_QUEUES", u32],
});

/** IFF_TUN, IFF_TAP. */
const tunModes = new Names("tun mode", { 1: "tun", 2: "tap" });

function decodeIpip(view: DataView): IpipAttributes {
  const values = ipipData.decode(view, 0, view.byteLength);
  return defined({
    // 0.0.0.0 stands for "any", ttl 0 for "inherit".
    local: values.local || undefined,
    remote: values.remote || undefined,
    device: values.device || undefined,
    ttl: values.ttl || undefined,
    tos: values.tos || undefined,
    pathMtuDiscovery: values.pathMtuDiscovery ?? false,
  });
}

interface Kind {
  readonly table: AttributeTable<object>;
  readonly read: (view: DataView) => LinkKindAttributes;
  /** The values to write, if any are told. */
  readonly values: (told: LinkKindAttributes) => object | undefined;
}

/** Kinds without attributes of their own (dummy, ifb, wireguard) have no entry. */
const kinds: Readonly<Record<string, Kind>> = {
  vxlan: {
    table: vxlanData,
    read: (view) => ({ vxlan: decodeVxlan(view) }),
    values: ({ vxlan }) => vxlan && vxlanValues(vxlan),
  },
  ipip: {
    table: ipipData,
    read: (view) => ({ ipip: decodeIpip(view) }),
    values: ({ ipip }) => ipip,
  },
  bridge: {
    table: bridgeData,
    read: (view) => ({ bridge: decodeBridge(view) }),
    values: ({ bridge }) => bridge && bridgeValues(bridge),
  },
  macvlan: {
    table: macvlanData,
    read(view) {
      const { mode, flags = 0 } = macvlanData.decode(view, 0, view.byteLength);
      return {
        macvlan: defined({
          mode: macvlanModes.name(mode ?? 0) as MacvlanMode,
          noPromiscuous: (flags & MACVLAN_FLAG_NOPROMISC) !== 0 || undefined,
        }),
      };
    },
    values: ({ macvlan }) =>
      macvlan && {
        mode: macvlanModes.number(macvlan.mode),
        flags: macvlan.noPromiscuous ? MACVLAN_FLAG_NOPROMISC : undefined,
      },
  },
  tun: {
    table: tunData,
    read(view) {
      const { type, ...same } = tunData.decode(view, 0, view.byteLength);
      return { tun: defined({ ...same, mode: tunModes.name(type ?? 0) as TunMode }) };
    },
    // RTM_NEWLINK makes none of these: see openTun of lib/sys.
    values: () => undefined,
  },
};

/** The table of a kind's IFLA_INFO_DATA. */
export function kindTable(kind: unknown): AttributeTable<object> | undefined {
  return kinds[String(kind)]?.table;
}

/** @throws NETLINK_MALFORMED. */
export function decodeKind(kind: string | undefined, data: DataView): LinkKindAttributes {
  return (kind === undefined ? undefined : kinds[kind]?.read(data)) ?? {};
}

/** IFLA_INFO_DATA. Has a writer of its own: the message around it uses the shared one. */
export function encodeKind(kind: string, told: LinkKindAttributes): Uint8Array | undefined {
  const entry = kinds[kind];
  const values = entry?.values(told);
  if (entry === undefined || values === undefined) return undefined;
  const writer = new Writer();
  entry.table.encode(writer, values);
  return writer.take();
}
