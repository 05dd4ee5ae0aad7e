/** IFLA_BR_* and IFLA_BRPORT_*: bridges and their ports (linux/if_link.h). */

import { type AttributeCodec, attributeTable } from "./attribute.ts";
import { bool8, mac, u8, u16, u16be, u32 } from "./codecs.ts";
import { defined } from "./header.ts";
import { Names } from "./names.ts";
import type { BridgeAttributes, BridgePortAttributes } from "./types-link.ts";

/** struct ifla_bridge_id as `ip` prints it: `8000.2:0:0:0:0:1`. */
const bridgeId: AttributeCodec<string> = {
  what: "bridge id",
  accepts: (length) => length === 8,
  read(view, offset) {
    const priority = view.getUint16(offset).toString(16).padStart(4, "0");
    const bytes = Array.from({ length: 6 }, (_, i) => view.getUint8(offset + 2 + i).toString(16));
    return `${priority}.${bytes.join(":")}`;
  },
  write(writer, value) {
    const [priority, address] = value.split(".");
    writer.u16be(Number.parseInt(priority!, 16));
    for (const byte of address!.split(":")) writer.u8(Number.parseInt(byte, 16));
  },
};

export const bridgeData = attributeTable("IFLA_BR", {
  forwardDelayCentiseconds: [1, "IFLA_BR_FORWARD_DELAY", u32],
  helloTimeCentiseconds: [2, "IFLA_BR_HELLO_TIME", u32],
  maxAgeCentiseconds: [3, "IFLA_BR_MAX_AGE", u32],
  ageingTimeCentiseconds: [4, "IFLA_BR_AGEING_TIME", u32],
  stpState: [5, "IFLA_BR_STP_STATE", u32],
  priority: [6, "IFLA_BR_PRIORITY", u16],
  vlanFiltering: [7, "IFLA_BR_VLAN_FILTERING", bool8],
  vlanProtocol: [8, "IFLA_BR_VLAN_PROTOCOL", u16be],
  groupForwardMask: [9, "IFLA_BR_GROUP_FWD_MASK", u16],
  rootId: [10, "IFLA_BR_ROOT_ID", bridgeId],
  bridgeId: [11, "IFLA_BR_BRIDGE_ID", bridgeId],
  rootPort: [12, "IFLA_BR_ROOT_PORT", u16],
  rootPathCost: [13, "IFLA_BR_ROOT_PATH_COST", u32],
  groupAddress: [20, "IFLA_BR_GROUP_ADDR", mac],
  multicastRouter: [22, "IFLA_BR_MCAST_ROUTER", u8],
  multicastSnooping: [23, "IFLA_BR_MCAST_SNOOPING", bool8],
  multicastQuerier: [25, "IFLA_BR_MCAST_QUERIER", bool8],
  nfCallIptables: [36, "IFLA_BR_NF_CALL_IPTABLES", bool8],
  nfCallIp6tables: [37, "IFLA_BR_NF_CALL_IP6TABLES", bool8],
  nfCallArptables: [38, "IFLA_BR_NF_CALL_ARPTABLES", bool8],
  vlanDefaultPvid: [39, "IFLA_BR_VLAN_DEFAULT_PVID", u16],
  vlanStatistics: [41, "IFLA_BR_VLAN_STATS_ENABLED", bool8],
});

/** BR_STATE_*, in the words of `bridge link`. */
const portStates = new Names("bridge port state", {
  0: "disabled",
  1: "listening",
  2: "learning",
  3: "forwarding",
  4: "blocking",
});

export const bridgePortData = attributeTable("IFLA_BRPORT", {
  state: [1, "IFLA_BRPORT_STATE", u8],
  priority: [2, "IFLA_BRPORT_PRIORITY", u16],
  cost: [3, "IFLA_BRPORT_COST", u32],
  hairpin: [4, "IFLA_BRPORT_MODE", bool8],
  guard: [5, "IFLA_BRPORT_GUARD", bool8],
  rootBlock: [6, "IFLA_BRPORT_PROTECT", bool8],
  fastLeave: [7, "IFLA_BRPORT_FAST_LEAVE", bool8],
  learning: [8, "IFLA_BRPORT_LEARNING", bool8],
  flood: [9, "IFLA_BRPORT_UNICAST_FLOOD", bool8],
  proxyArp: [10, "IFLA_BRPORT_PROXYARP", bool8],
  proxyArpWifi: [12, "IFLA_BRPORT_PROXYARP_WIFI", bool8],
  multicastRouter: [25, "IFLA_BRPORT_MULTICAST_ROUTER", u8],
  multicastFlood: [27, "IFLA_BRPORT_MCAST_FLOOD", bool8],
  multicastToUnicast: [28, "IFLA_BRPORT_MCAST_TO_UCAST", bool8],
  vlanTunnel: [29, "IFLA_BRPORT_VLAN_TUNNEL", bool8],
  broadcastFlood: [30, "IFLA_BRPORT_BCAST_FLOOD", bool8],
  groupForwardMask: [31, "IFLA_BRPORT_GROUP_FWD_MASK", u16],
  neighbourSuppress: [32, "IFLA_BRPORT_NEIGH_SUPPRESS", bool8],
  isolated: [33, "IFLA_BRPORT_ISOLATED", bool8],
  backupPort: [34, "IFLA_BRPORT_BACKUP_PORT", u32],
  locked: [39, "IFLA_BRPORT_LOCKED", bool8],
});

type BridgeValues = Parameters<typeof bridgeData.encode>[1];
type PortValues = Parameters<typeof bridgePortData.encode>[1];

export function bridgeValues(bridge: BridgeAttributes): BridgeValues {
  // What only the kernel decides is not written.
  const { rootId: _r, bridgeId: _b, rootPort: _p, rootPathCost: _c, ...written } = bridge;
  return written;
}

export function decodeBridge(view: DataView): BridgeAttributes {
  return defined(bridgeData.decode(view, 0, view.byteLength));
}

export function bridgePortValues({ state, ...same }: BridgePortAttributes): PortValues {
  return { ...same, state: state === undefined ? undefined : portStates.number(state) };
}

export function decodeBridgePort(view: DataView): BridgePortAttributes {
  const { state, ...same } = bridgePortData.decode(view, 0, view.byteLength);
  return defined({ ...same, state: state === undefined ? undefined : portStates.name(state) });
}
