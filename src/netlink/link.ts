/** RTM_NEWLINK read: struct ifinfomsg and IFLA_* as a {@link Link}. */

import { IFF_NOARP, IFF_UP } from "./constants.ts";
import { defined, headerEnd } from "./header.ts";
import { ipipData, linkAttributes, vxlanData } from "./link-attributes.ts";
import { malformed } from "./malformed.ts";
import type { Message } from "./message.ts";
import { operStates } from "./names.ts";
import type { IpipAttributes, Link, LinkStatistics, VxlanAttributes } from "./types.ts";

export const IFINFOMSG_BYTES = 16;

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
  const kind = info?.kind;
  return defined({
    index: view.getInt32(start + 4, true),
    name,
    kind,
    mac: attributes.mac,
    mtu,
    up: (flags & IFF_UP) !== 0,
    arp: (flags & IFF_NOARP) === 0,
    operState: operStates.name(attributes.operState ?? 0),
    master: attributes.master || undefined,
    link: attributes.link || undefined,
    linkNetnsId: attributes.linkNetnsId,
    vxlan: kind === "vxlan" ? decodeVxlan(info?.data) : undefined,
    ipip: kind === "ipip" ? decodeIpip(info?.data) : undefined,
  });
}

function viewOf(bytes: Uint8Array | undefined): DataView {
  return bytes
    ? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new DataView(new ArrayBuffer(0));
}

function decodeVxlan(data: Uint8Array | undefined): VxlanAttributes {
  const view = viewOf(data);
  const { vni, port, learning, ...rest } = vxlanData.decode(view, 0, view.byteLength);
  return defined({
    vni: vni ?? 0,
    port: port ?? 0,
    local: rest.local4 || rest.local6 || undefined,
    device: rest.device || undefined,
    learning: learning ?? false,
  });
}

function decodeIpip(data: Uint8Array | undefined): IpipAttributes {
  const view = viewOf(data);
  const { local, remote, ttl, pathMtuDiscovery } = ipipData.decode(view, 0, view.byteLength);
  return defined({
    // 0.0.0.0 stands for "any", ttl 0 for "inherit".
    local: local || undefined,
    remote: remote || undefined,
    ttl: ttl || undefined,
    pathMtuDiscovery: pathMtuDiscovery ?? false,
  });
}

/** IFLA_STATS64 of a link message, if it is there. */
export function decodeStatistics(message: Message): LinkStatistics | undefined {
  const from = headerEnd(message, "struct ifinfomsg", IFINFOMSG_BYTES);
  const { statistics } = linkAttributes.decode(message.view, from, message.end);
  if (statistics === undefined) return undefined;
  const view = viewOf(statistics);
  if (view.byteLength < 64) throw malformed("short IFLA_STATS64", view, 0, view.byteLength);
  const counter = (position: number) => Number(view.getBigUint64(position * 8, true));
  return {
    rxPackets: counter(0),
    txPackets: counter(1),
    rxBytes: counter(2),
    txBytes: counter(3),
    rxErrors: counter(4),
    txErrors: counter(5),
    rxDropped: counter(6),
    txDropped: counter(7),
  };
}
