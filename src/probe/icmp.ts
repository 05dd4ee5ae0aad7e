/**
 * ICMP and ICMPv6 as live probes need them: echo requests, their replies, and the errors that hosts and routers
 * send about our packets (RFC 792, RFC 4443). Whatever else comes is none. Pure.
 *
 * What a probe carries: 8 bytes that nobody else knows, by which an answer is ours, 4 bytes of its number, padding.
 */

import { addressFromBytes, type Family, type IpAddress } from "../lib/index.ts";

/** Session and number. */
const MARK_BYTES = 12;
const ECHO_HEADER_BYTES = 8;
const UDP_HEADER_BYTES = 8;
const IPPROTO_ICMP = 1;
const IPPROTO_UDP = 17;
const IPPROTO_ICMPV6 = 58;
const IPV6_HEADER_BYTES = 40;

const echoTypes = { 4: { request: 8, reply: 0 }, 6: { request: 128, reply: 129 } } as const;
const UNREACHABLE = { 4: 3, 6: 1 } as const;
const PORT_UNREACHABLE = { 4: 3, 6: 4 } as const;

/** Which of our probes a packet is about. */
export interface ProbeMark {
  /** 16 hexadecimal digits. */
  readonly session: string;
  /** Below 2^32. */
  readonly sequence: number;
}

export type IcmpAnswer =
  | ({ readonly kind: "reply" } & ProbeMark)
  /** An error about a packet of ours; `port`: it came to the host, where nobody listens. */
  | ({
      readonly kind: "error";
      readonly port: boolean;
      readonly destination: IpAddress;
      /** `host unreachable`, as RFC 792 and RFC 4443 name it. */
      readonly text: string;
    } & ProbeMark);

/** Bytes of an IP packet around an echo request or a datagram: what fits into an MTU. */
export function payloadBytes(family: Family, packetBytes: number): number {
  return packetBytes - (family === 4 ? 20 : IPV6_HEADER_BYTES) - ECHO_HEADER_BYTES;
}

/** What a probe carries, padded to `bytes`. */
export function encodeMark({ session, sequence }: ProbeMark, bytes = MARK_BYTES): Uint8Array {
  const payload = new Uint8Array(Math.max(bytes, MARK_BYTES));
  const view = new DataView(payload.buffer);
  view.setBigUint64(0, BigInt(`0x${session}`));
  view.setUint32(8, sequence);
  return payload;
}

/** An ICMP message; the kernel fills in the checksum of ICMPv6. */
export function encodeEcho(options: {
  readonly family: Family;
  /** 16 bits. */
  readonly identifier: number;
  readonly mark: ProbeMark;
  /** Of the whole IP packet; as small as can be unless told. */
  readonly packetBytes?: number;
}): Uint8Array {
  const { family, identifier, mark, packetBytes = 0 } = options;
  const payload = encodeMark(mark, payloadBytes(family, packetBytes));
  const message = new Uint8Array(ECHO_HEADER_BYTES + payload.length);
  const view = new DataView(message.buffer);
  message[0] = echoTypes[family].request;
  view.setUint16(4, identifier);
  view.setUint16(6, mark.sequence & 0xffff);
  message.set(payload, ECHO_HEADER_BYTES);
  if (family === 4) view.setUint16(2, internetChecksum(message));
  return message;
}

/** `packet` as a raw socket of that family gives it: IPv4 with its IP header, IPv6 without. */
export function decodeIcmp(family: Family, packet: Uint8Array): IcmpAnswer | undefined {
  const message = family === 4 ? insideIpv4(packet)?.payload : packet;
  if (message === undefined || message.length < ECHO_HEADER_BYTES) return undefined;
  const [type = 0, code = 0] = message;
  const rest = message.subarray(ECHO_HEADER_BYTES);
  if (type === echoTypes[family].reply) {
    const mark = markIn(rest);
    return mark && { kind: "reply", ...mark };
  }
  const text = errorTexts[family][`${type}.${code}`] ?? errorTexts[family][`${type}`];
  if (text === undefined) return undefined;
  const original = family === 4 ? insideIpv4(rest) : insideIpv6(rest);
  if (original === undefined) return undefined;
  const { protocol, destination, payload } = original;
  const header = { [IPPROTO_ICMP]: 8, [IPPROTO_ICMPV6]: 8, [IPPROTO_UDP]: UDP_HEADER_BYTES }[
    protocol
  ];
  const mark = header === undefined ? undefined : markIn(payload.subarray(header));
  if (mark === undefined) return undefined;
  const port = type === UNREACHABLE[family] && code === PORT_UNREACHABLE[family];
  return { kind: "error", port, destination, text, ...mark };
}

const errorTexts: Readonly<Record<Family, Readonly<Record<string, string>>>> = {
  4: {
    "3.0": "network unreachable",
    "3.1": "host unreachable",
    "3.2": "protocol unreachable",
    "3.3": "port unreachable",
    "3.4": "fragmentation needed",
    "3.9": "network administratively prohibited",
    "3.10": "host administratively prohibited",
    "3.13": "communication administratively prohibited",
    "3": "destination unreachable",
    "11": "time exceeded",
  },
  6: {
    "1.0": "no route to destination",
    "1.1": "communication administratively prohibited",
    "1.3": "address unreachable",
    "1.4": "port unreachable",
    "1.5": "source address failed policy",
    "1.6": "route rejected",
    "1": "destination unreachable",
    "2": "packet too big",
    "3": "time exceeded",
  },
};

function markIn(payload: Uint8Array): ProbeMark | undefined {
  if (payload.length < MARK_BYTES) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const session = view.getBigUint64(0).toString(16).padStart(16, "0");
  return { session, sequence: view.getUint32(8) };
}

interface Inside {
  readonly protocol: number;
  readonly destination: IpAddress;
  readonly payload: Uint8Array;
}

function insideIpv4(packet: Uint8Array): Inside | undefined {
  const [first = 0] = packet;
  const headerBytes = (first & 15) * 4;
  if (first >> 4 !== 4 || headerBytes < 20 || packet.length < headerBytes) return undefined;
  return {
    protocol: packet[9] ?? 0,
    destination: addressFromBytes(packet.subarray(16, 20)),
    payload: packet.subarray(headerBytes),
  };
}

function insideIpv6(packet: Uint8Array): Inside | undefined {
  if (packet.length < IPV6_HEADER_BYTES || (packet[0] ?? 0) >> 4 !== 6) return undefined;
  return {
    protocol: packet[6] ?? 0,
    destination: addressFromBytes(packet.subarray(24, 40)),
    payload: packet.subarray(IPV6_HEADER_BYTES),
  };
}

/** RFC 1071, of a message whose checksum field is 0. */
function internetChecksum(message: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < message.length; index += 2) {
    sum += ((message[index] ?? 0) << 8) | (message[index + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
