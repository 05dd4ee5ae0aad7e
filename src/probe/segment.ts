/** TCP segments with checksums of our own making (RFC 9293 section 3.1), and what answers them. Pure. */

import { addressToBytes, type IpAddress, isIpv4 } from "../lib/index.ts";

const TCP_HEADER_BYTES = 20;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;
const IPPROTO_TCP = 6;

export interface SegmentOptions {
  readonly from: { readonly address: IpAddress; readonly port: number };
  readonly to: { readonly address: IpAddress; readonly port: number };
  /** `syn`: a listener answers with a SYN-ACK. `ack`: of no connection, so that the host answers with a RST. */
  readonly kind: "syn" | "ack";
  /** What the answer will echo. */
  readonly echo: number;
  /** Of the segment with its header; a listener takes a SYN with data, and leaves the data. */
  readonly bytes: number;
}

export function segmentOf({ from, to, kind, echo, bytes }: SegmentOptions): Uint8Array {
  const segment = Buffer.alloc(Math.max(TCP_HEADER_BYTES, bytes));
  segment.writeUInt16BE(from.port, 0);
  segment.writeUInt16BE(to.port, 2);
  segment.writeUInt32BE(echo, kind === "syn" ? 4 : 8);
  segment[12] = (TCP_HEADER_BYTES / 4) << 4;
  segment[13] = kind === "syn" ? SYN : ACK;
  segment.writeUInt16BE(0xffff, 14);
  segment.writeUInt16BE(checksum(from.address, to.address, segment), 16);
  return segment;
}

export interface SegmentAnswer {
  readonly fromPort: number;
  readonly toPort: number;
  readonly echo: number;
}

/** A SYN-ACK or a RST among what a raw socket took; IPv4 packets come with their header. */
export function readAnswer(packet: Uint8Array, family: 4 | 6): SegmentAnswer | undefined {
  const headerBytes = family === 4 ? ((packet[0] ?? 0) & 0x0f) * 4 : 0;
  const segment = Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength).subarray(
    headerBytes,
  );
  if (segment.length < TCP_HEADER_BYTES) return undefined;
  const flags = segment[13];
  if (flags !== (SYN | ACK) && flags !== RST) return undefined;
  return {
    fromPort: segment.readUInt16BE(0),
    toPort: segment.readUInt16BE(2),
    // A SYN takes one number of its own (RFC 9293 section 3.4); a RST takes the one it was shown.
    echo: flags === RST ? segment.readUInt32BE(4) : (segment.readUInt32BE(8) - 1) >>> 0,
  };
}

/** RFC 1071 over pseudo header and segment. */
export function checksum(from: IpAddress, to: IpAddress, segment: Uint8Array): number {
  const pseudo = Buffer.concat([
    addressToBytes(from),
    addressToBytes(to),
    isIpv4(from)
      ? Uint8Array.of(0, IPPROTO_TCP, segment.length >> 8, segment.length & 0xff)
      : Uint8Array.of(0, 0, segment.length >> 8, segment.length & 0xff, 0, 0, 0, IPPROTO_TCP),
  ]);
  let sum = 0;
  for (const bytes of [pseudo, segment]) {
    for (let at = 0; at < bytes.length; at += 2) {
      sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    }
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
