/** RTM_NEWLINK read: struct ifinfomsg and IFLA_* as a {@link Link}. */

import { IFF_NOARP, IFF_UP } from "./constants.ts";
import { defined, headerEnd } from "./header.ts";
import { IFINFOMSG_BYTES, linkAttributes } from "./link-attributes.ts";
import { decodeBridgePort } from "./link-bridge.ts";
import { decodeKind } from "./link-kinds.ts";
import { malformed } from "./malformed.ts";
import type { Message } from "./message.ts";
import { operStates } from "./names.ts";
import type { Link, LinkStatistics } from "./types-link.ts";

/** @throws NETLINK_MALFORMED. */
export function decodeLink(message: Message): Link {
  const { view, start, end } = message;
  const from = headerEnd(message, "struct ifinfomsg", IFINFOMSG_BYTES);
  const flags = view.getUint32(start + 8, true);
  const attributes = linkAttributes.decode(view, from, end);
  const { name, mtu, info } = attributes;
  if (name === undefined || mtu === undefined) {
    throw malformed("link without a name or an MTU", view, start, end);
  }
  const { kind, data, portKind, portData } = info ?? {};
  return defined({
    index: view.getInt32(start + 4, true),
    name,
    kind,
    mac: attributes.mac,
    mtu,
    minMtu: attributes.minMtu,
    maxMtu: attributes.maxMtu,
    up: (flags & IFF_UP) !== 0,
    arp: (flags & IFF_NOARP) === 0,
    operState: operStates.name(attributes.operState ?? 0),
    carrier: attributes.carrier,
    txQueueLength: attributes.txQueueLength,
    alias: attributes.alias,
    group: attributes.group || undefined,
    master: attributes.master || undefined,
    link: attributes.link || undefined,
    linkNetnsId: attributes.linkNetnsId,
    // A vxlan says nothing of its kind in messages about its removal.
    ...(data === undefined ? {} : decodeKind(kind, viewOf(data))),
    bridgePort: portKind === "bridge" && portData ? decodeBridgePort(viewOf(portData)) : undefined,
  });
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** IFLA_STATS64 of a link message, if it is there. */
export function decodeStatistics(message: Message): LinkStatistics | undefined {
  const from = headerEnd(message, "struct ifinfomsg", IFINFOMSG_BYTES);
  const { statistics } = linkAttributes.decode(message.view, from, message.end);
  if (statistics === undefined) return undefined;
  const view = viewOf(statistics);
  if (view.byteLength < 23 * 8) throw malformed("short IFLA_STATS64", view, 0, view.byteLength);
  const result: Record<string, number> = {};
  // Newer kernels append counters; older ones end earlier.
  const count = Math.min(counters.length, Math.floor(view.byteLength / 8));
  for (let i = 0; i < count; i++) {
    result[counters[i]!] = Number(view.getBigUint64(i * 8, true));
  }
  return result as unknown as LinkStatistics;
}

/** struct rtnl_link_stats64, in its order. */
const counters: readonly (keyof LinkStatistics)[] = [
  "rxPackets",
  "txPackets",
  "rxBytes",
  "txBytes",
  "rxErrors",
  "txErrors",
  "rxDropped",
  "txDropped",
  "multicast",
  "collisions",
  "rxLengthErrors",
  "rxOverErrors",
  "rxCrcErrors",
  "rxFrameErrors",
  "rxFifoErrors",
  "rxMissedErrors",
  "txAbortedErrors",
  "txCarrierErrors",
  "txFifoErrors",
  "txHeartbeatErrors",
  "txWindowErrors",
  "rxCompressed",
  "txCompressed",
  "rxNoHandler",
];
