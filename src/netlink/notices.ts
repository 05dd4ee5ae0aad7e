/**
 * That something changed, without what: traffic control (tc), interface configuration (sysctls that the
 * kernel reports), nftables. The caller takes what has come whenever it likes; nothing here waits.
 */

import { attributeTable } from "./attribute.ts";
import { text, u32 } from "./codecs.ts";
import type { Message } from "./message.ts";
import { NetlinkSocket } from "./socket.ts";

export type Notice =
  /** A qdisc or filter of this interface was made, changed or deleted. */
  | { readonly kind: "traffic-control"; readonly index: number }
  /** forwarding, rp_filter, proxy_arp and the like; `index` is -1 for `all` and -2 for `default`. */
  | { readonly kind: "configuration"; readonly index: number }
  /** Something in the table of this name. */
  | { readonly kind: "nftables"; readonly table: string }
  /** Notices were lost: anything may have changed. */
  | { readonly kind: "overrun" };

export interface NoticesOptions {
  /** Path of a network namespace; the process's own unless told. */
  readonly namespace?: string;
}

const RECEIVE_BUFFER_BYTES = 1024 * 1024;

// RTNLGRP_*, NFNLGRP_* and message types of linux/rtnetlink.h, linux/netfilter/nfnetlink.h.
const RTNLGRP_TC = 4;
const RTNLGRP_IPV4_NETCONF = 24;
const RTNLGRP_IPV6_NETCONF = 25;
const NFNLGRP_NFTABLES = 7;
const RTM_TC = new Set([36, 37, 44, 45]);
const RTM_NETCONF = new Set([80, 81]);
const NFNL_SUBSYS_NFTABLES = 10;
const NFT_MSG_NEWGEN = 15;

/** After `struct netconfmsg`, padded. */
const netconf = attributeTable("NETCONFA", { index: [1, "NETCONFA_IFINDEX", u32] });
/** Every nftables message but that of a generation starts with the name of its table. */
const nftables = attributeTable("NFTA", { table: [1, "NFTA_TABLE", text] });

/** Notices count from here on. @throws SYSTEM_CALL_FAILED, also where the kernel has no nftables. */
export function openNotices(options: NoticesOptions = {}): Notices {
  const common = { ...options, receiveBufferBytes: RECEIVE_BUFFER_BYTES };
  const groups = [RTNLGRP_TC, RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF];
  const route = new NetlinkSocket({ ...common, groups });
  try {
    const netfilter = new NetlinkSocket({
      ...common,
      protocol: "netfilter",
      groups: [NFNLGRP_NFTABLES],
    });
    return new Notices(route, netfilter);
  } catch (error) {
    route.close();
    throw error;
  }
}

export class Notices {
  readonly #sockets: readonly (readonly [NetlinkSocket, typeof routeNotice])[];

  constructor(route: NetlinkSocket, netfilter: NetlinkSocket) {
    this.#sockets = [
      [route, routeNotice],
      [netfilter, nftablesNotice],
    ];
  }

  /** What came since the last call. @throws NETLINK_MALFORMED. */
  take(): Notice[] {
    const taken: Notice[] = [];
    for (const [socket, decode] of this.#sockets) {
      for (;;) {
        const result = socket.receive((message) => {
          const notice = decode(message);
          if (notice !== undefined) taken.push(notice);
        });
        if (result === "overrun") taken.push({ kind: "overrun" });
        if (result === "none") break;
      }
    }
    return taken;
  }

  close(): void {
    for (const [socket] of this.#sockets) socket.close();
  }
}

/** @throws NETLINK_MALFORMED. */
export function routeNotice({ type, view, start, end }: Message): Notice | undefined {
  // struct tcmsg: family and padding, then the index.
  if (RTM_TC.has(type) && end - start >= 8) {
    return { kind: "traffic-control", index: view.getInt32(start + 4, true) };
  }
  if (!RTM_NETCONF.has(type)) return undefined;
  const { index } = netconf.decode(view, Math.min(start + 4, end), end);
  return index === undefined ? undefined : { kind: "configuration", index: index | 0 };
}

/** @throws NETLINK_MALFORMED. */
export function nftablesNotice({ type, view, start, end }: Message): Notice | undefined {
  if (type >> 8 !== NFNL_SUBSYS_NFTABLES || (type & 0xff) === NFT_MSG_NEWGEN) return undefined;
  // struct nfgenmsg: family, version, resource.
  const { table } = nftables.decode(view, Math.min(start + 4, end), end);
  return table === undefined ? undefined : { kind: "nftables", table };
}
