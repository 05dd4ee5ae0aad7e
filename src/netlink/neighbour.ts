/** RTM_NEWNEIGH and RTM_DELNEIGH for IPv4 and IPv6: the ARP and ND tables (linux/neighbour.h). */

import { familyOf, formatAddress } from "../lib/index.ts";
import { attributeTable } from "./attribute.ts";
import { address as addressCodec, mac, u8, u16, u16be, u32 } from "./codecs.ts";
import {
  familyNumber,
  NLM_F_CREATE,
  NLM_F_REPLACE,
  RTM_DELNEIGH,
  RTM_NEWNEIGH,
} from "./constants.ts";
import { defined, headerEnd } from "./header.ts";
import { malformed } from "./malformed.ts";
import type { Message } from "./message.ts";
import { neighbourStates } from "./names.ts";
import { deviceText, type LinkName, request } from "./request.ts";
import type { Neighbour, Request } from "./types.ts";
import { build, type Writer } from "./writer.ts";

export const neighbourAttributes = attributeTable("NDA", {
  destination: [1, "NDA_DST", addressCodec],
  mac: [2, "NDA_LLADDR", mac],
  vlan: [5, "NDA_VLAN", u16],
  port: [6, "NDA_PORT", u16be],
  vni: [7, "NDA_VNI", u32],
  device: [8, "NDA_IFINDEX", u32],
  master: [9, "NDA_MASTER", u32],
  protocol: [12, "NDA_PROTOCOL", u8],
  nextHopId: [13, "NDA_NH_ID", u32],
});

/** struct ndmsg. */
export interface NeighbourHeader {
  readonly family: number;
  readonly index: number;
  readonly state: number;
  /** NTF_*. */
  readonly flags: number;
}

const NDMSG_BYTES = 12;

export const neighbourLayout = { headerBytes: NDMSG_BYTES, table: neighbourAttributes };

export function writeNeighbourHeader(writer: Writer, header: NeighbourHeader): void {
  writer.u32(header.family);
  writer.u32(header.index);
  writer.u16(header.state);
  writer.u8(header.flags);
  writer.u8(0);
}

export function readNeighbour(message: Message) {
  const { view, start, end } = message;
  const from = headerEnd(message, "struct ndmsg", NDMSG_BYTES);
  const header: NeighbourHeader = {
    family: view.getUint8(start),
    index: view.getInt32(start + 4, true),
    state: view.getUint16(start + 8, true),
    flags: view.getUint8(start + 10),
  };
  return { header, values: neighbourAttributes.decode(view, from, end) };
}

/** @throws NETLINK_MALFORMED. */
export function decodeNeighbour(message: Message): Neighbour {
  const { header, values } = readNeighbour(message);
  const { view, start, end } = message;
  if (values.destination === undefined) {
    throw malformed("neighbour without an address", view, start, end);
  }
  return defined({
    index: header.index,
    address: values.destination,
    mac: values.mac,
    state: neighbourStates.name(header.state),
    protocol: values.protocol,
  });
}

function neighbourRequest(
  verb: string,
  numbers: { readonly type: number; readonly flags: number },
  neighbour: Neighbour,
  linkName: LinkName | undefined,
): Request {
  const { index, address, mac, state, protocol } = neighbour;
  const payload = build((writer) => {
    const family = familyNumber(familyOf(address));
    writeNeighbourHeader(writer, { family, index, state: neighbourStates.number(state), flags: 0 });
    neighbourAttributes.encode(writer, { destination: address, mac, protocol });
  });
  const lladdr = mac === undefined ? "" : ` lladdr ${mac}`;
  const text = () =>
    `neigh ${verb} ${formatAddress(address)}${lladdr} dev ${deviceText(index, linkName)}`;
  return request({ ...numbers, payload, layout: neighbourLayout, text });
}

/** `ip neigh replace`. */
export function neighbourReplace(neighbour: Neighbour, linkName?: LinkName): Request {
  const numbers = { type: RTM_NEWNEIGH, flags: NLM_F_CREATE | NLM_F_REPLACE };
  return neighbourRequest("replace", numbers, neighbour, linkName);
}

/** `ip neigh delete`. */
export function neighbourDelete(
  neighbour: Pick<Neighbour, "index" | "address">,
  linkName?: LinkName,
): Request {
  const { index, address } = neighbour;
  const numbers = { type: RTM_DELNEIGH, flags: 0 };
  return neighbourRequest("delete", numbers, { index, address, state: "none" }, linkName);
}
