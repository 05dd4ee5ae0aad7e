/** NETLINK_SOCK_DIAG: sockets of a network namespace by the address they use (linux/sock_diag.h, inet_diag.h). */

import { bitsOf, type Family, familyOf, formatAddress, type IpAddress } from "../lib/index.ts";
import { attributeTable } from "./attribute.ts";
import { bytes } from "./codecs.ts";
import { familyNumber } from "./constants.ts";
import { headerEnd } from "./header.ts";
import { malformed } from "./malformed.ts";
import type { Message } from "./message.ts";
import { Names } from "./names.ts";
import { request } from "./request.ts";
import type { Request } from "./types.ts";
import { build, type Writer } from "./writer.ts";

const SOCK_DIAG_BY_FAMILY = 20;
const transports = new Names("transport protocol", { 6: "tcp", 17: "udp" });
export type TransportProtocol = "tcp" | "udp";

/** TCP_*, which UDP sockets have, too: `established` where they are connected, else `close`. */
const states = new Names("socket state", {
  1: "established",
  2: "syn-sent",
  3: "syn-recv",
  4: "fin-wait-1",
  5: "fin-wait-2",
  6: "time-wait",
  7: "close",
  8: "close-wait",
  9: "last-ack",
  10: "listen",
  11: "closing",
  12: "new-syn-recv",
});

/** A socket as `ss` shows it. IPv4 over a socket of IPv6 has IPv4 addresses here. */
export interface HostSocket {
  readonly protocol: TransportProtocol;
  readonly state: string;
  readonly source: IpAddress;
  readonly sourcePort: number;
  /** The unspecified address where it is not connected. */
  readonly destination: IpAddress;
  readonly destinationPort: number;
  /** 0 where no process holds it any more. */
  readonly inode: number;
}

export interface SocketFilter {
  readonly protocol: TransportProtocol;
  /** Of the socket; one of IPv6 may carry IPv4. */
  readonly family: Family;
  /** Only sockets bound to this address, by whatever name; all unless told. */
  readonly source?: IpAddress;
}

const attributes = attributeTable("INET_DIAG_REQ", {
  bytecode: [1, "INET_DIAG_REQ_BYTECODE", bytes],
});

/** struct inet_diag_req_v2 and struct inet_diag_msg. */
const REQUEST_BYTES = 56;
const ANSWER_BYTES = 72;
/** In struct inet_diag_msg: struct inet_diag_sockid. */
const ID_AT = 4;
const INODE_AT = 68;
/** What has no process any more (time-wait) holds nothing. */
const ALL_BUT_TIME_WAIT = 0xffff_ffff & ~(1 << 6);

/** INET_DIAG_BC_S_COND. */
const SOURCE_CONDITION = 7;
/** struct inet_diag_bc_op and struct inet_diag_hostcond without its address. */
const CONDITION_BYTES = 12;
const ANY_PORT = 0xffff_ffff;

/** One condition: behind it the packet matches, four bytes further it does not (inet_diag_bc_run). */
function sourceCondition(source: IpAddress): Uint8Array {
  const length = CONDITION_BYTES + bitsOf(familyOf(source)) / 8;
  return build((writer) => {
    writer.u8(SOURCE_CONDITION);
    writer.u8(length);
    writer.u16(length + 4);
    writer.u8(familyNumber(familyOf(source)));
    writer.u8(bitsOf(familyOf(source)));
    writer.u16(0);
    writer.u32(ANY_PORT);
    writeAddress(writer, source);
  });
}

function writeAddress(writer: Writer, address: IpAddress): void {
  if (typeof address === "number") writer.u32be(address);
  else writer.u128be(address);
}

export function socketDump({ protocol, family, source }: SocketFilter): Request {
  const bytecode = source === undefined ? undefined : sourceCondition(source);
  const payload = build((writer) => {
    writer.u8(familyNumber(family));
    writer.u8(transports.number(protocol));
    writer.u16(0);
    writer.u32(ALL_BUT_TIME_WAIT >>> 0);
    for (let at = 8; at < REQUEST_BYTES; at += 4) writer.u32(0);
    attributes.encode(writer, { bytecode });
  });
  const layout = { headerBytes: REQUEST_BYTES, table: attributes };
  const of = source === undefined ? "" : ` src ${formatAddress(source)}`;
  const text = () => `sockets of ${protocol} over IPv${family}${of}`;
  return request({ type: SOCK_DIAG_BY_FAMILY, flags: 0, payload, layout, text });
}

/** @throws NETLINK_MALFORMED. */
export function decodeSocket(message: Message, protocol: TransportProtocol): HostSocket {
  const { view, start, end } = message;
  headerEnd(message, "struct inet_diag_msg", ANSWER_BYTES);
  const family = view.getUint8(start);
  if (family !== familyNumber(4) && family !== familyNumber(6)) {
    throw malformed(`socket of family ${family}`, view, start, end);
  }
  const address = (at: number): IpAddress =>
    family === familyNumber(4) ? (view.getUint32(at) as IpAddress) : address6(view, at);
  const id = start + ID_AT;
  return {
    protocol,
    state: states.name(view.getUint8(start + 1)),
    sourcePort: view.getUint16(id),
    destinationPort: view.getUint16(id + 2),
    source: address(id + 4),
    destination: address(id + 20),
    inode: view.getUint32(start + INODE_AT, true),
  };
}

/** `::ffff:10.0.0.1` is how a socket of IPv6 has the IPv4 address 10.0.0.1. */
function address6(view: DataView, at: number): IpAddress {
  const high = view.getBigUint64(at);
  const low = view.getBigUint64(at + 8);
  const mapped = high === 0n && low >> 32n === 0xffffn;
  return (mapped ? Number(low & 0xffff_ffffn) : (high << 64n) | low) as IpAddress;
}
