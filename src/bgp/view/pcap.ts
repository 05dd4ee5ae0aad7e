/**
 * Messages as a capture file (libpcap's classic format, raw IP) that Wireshark and tcpdump read: each
 * message in a TCP segment of its own. Addresses, times and messages are real; ports of the side that
 * dialled, sequence numbers and the rest of the headers are made up, since nobody saw the packets.
 */

import { isIpv4 } from "../../lib/index.ts";
import type { KeptMessage } from "../index.ts";
import { addressBytes } from "./address-bytes.ts";
import type { DumpEnds } from "./mrt.ts";

const LINKTYPE_RAW = 101;
const SNAPLEN = 262_144;
const BGP_PORT = 179;
const FIRST_EPHEMERAL = 49_152;
const TCP = 6;
const TCP_HEADER_BYTES = 20;
/** Of an extended message a packet does not hold all. */
const MAXIMUM_SEGMENT_BYTES = 65_000;

export function pcapHeader(): Uint8Array {
  const view = new DataView(new ArrayBuffer(24));
  view.setUint32(0, 0xa1b2c3d4);
  view.setUint16(4, 2);
  view.setUint16(6, 4);
  view.setUint32(16, SNAPLEN);
  view.setUint32(20, LINKTYPE_RAW);
  return new Uint8Array(view.buffer);
}

/** Packets of the messages, which must come in their order. */
export class PcapWriter {
  readonly #ends: DumpEnds;
  /** By connection: what each side has sent. */
  readonly #sent = new Map<number, { ours: number; theirs: number }>();

  constructor(ends: DumpEnds) {
    this.#ends = ends;
  }

  packets(message: KeptMessage): Uint8Array[] {
    const made: Uint8Array[] = [];
    for (let at = 0; at < message.bytes.length; at += MAXIMUM_SEGMENT_BYTES) {
      made.push(this.#packet(message, message.bytes.subarray(at, at + MAXIMUM_SEGMENT_BYTES)));
    }
    return made;
  }

  #packet({ atMs, sent, connection }: KeptMessage, payload: Uint8Array): Uint8Array {
    const counts = this.#sent.get(connection.id) ?? { ours: 1, theirs: 1 };
    this.#sent.set(connection.id, counts);
    const [sequence, acknowledged] = sent
      ? [counts.ours, counts.theirs]
      : [counts.theirs, counts.ours];
    if (sent) counts.ours += payload.length;
    else counts.theirs += payload.length;
    const dialled = FIRST_EPHEMERAL + (connection.id % 16_384);
    // tcpdump knows BGP by the port: who was dialled has 179, whatever was configured.
    const ours = connection.incoming ? BGP_PORT : dialled;
    const theirs = connection.incoming ? dialled : BGP_PORT;
    const peer = addressBytes(this.#ends.peerAddress);
    const local = addressBytes(connection.localAddress, peer.length);
    const [source, destination] = sent ? [local, peer] : [peer, local];
    const segment = tcpSegment({
      ...{ source, destination, sequence, acknowledged, payload },
      ports: sent ? [ours, theirs] : [theirs, ours],
    });
    const v4 = isIpv4(this.#ends.peerAddress);
    const addresses = { source, destination };
    const packet = v4 ? ipv4Packet(segment, addresses) : ipv6Packet(segment, addresses);
    return record(atMs, packet);
  }
}

interface Addresses {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
}

function tcpSegment(
  parts: Addresses & {
    readonly ports: readonly [number, number];
    readonly sequence: number;
    readonly acknowledged: number;
    readonly payload: Uint8Array;
  },
): Uint8Array {
  const { source, destination, ports, sequence, acknowledged, payload } = parts;
  const segment = new Uint8Array(TCP_HEADER_BYTES + payload.length);
  const view = new DataView(segment.buffer);
  view.setUint16(0, ports[0]);
  view.setUint16(2, ports[1]);
  view.setUint32(4, sequence >>> 0);
  view.setUint32(8, acknowledged >>> 0);
  view.setUint8(12, (TCP_HEADER_BYTES / 4) << 4);
  view.setUint8(13, 0x18); // PSH, ACK
  view.setUint16(14, 0xffff);
  segment.set(payload, TCP_HEADER_BYTES);
  const pseudo = new Uint8Array(2 * source.length + 8);
  pseudo.set(source);
  pseudo.set(destination, source.length);
  const tail = new DataView(pseudo.buffer);
  tail.setUint32(2 * source.length, segment.length);
  tail.setUint8(pseudo.length - 1, TCP);
  view.setUint16(16, checksum([pseudo, segment]));
  return segment;
}

function ipv4Packet(segment: Uint8Array, { source, destination }: Addresses): Uint8Array {
  const packet = new Uint8Array(20 + segment.length);
  const view = new DataView(packet.buffer);
  view.setUint8(0, 0x45);
  view.setUint8(1, 0xc0); // RFC 4271 appendix E: network control
  view.setUint16(2, packet.length);
  view.setUint8(8, 255);
  view.setUint8(9, TCP);
  packet.set(source, 12);
  packet.set(destination, 16);
  view.setUint16(10, checksum([packet.subarray(0, 20)]));
  packet.set(segment, 20);
  return packet;
}

function ipv6Packet(segment: Uint8Array, { source, destination }: Addresses): Uint8Array {
  const packet = new Uint8Array(40 + segment.length);
  const view = new DataView(packet.buffer);
  view.setUint32(0, 0x6c000000);
  view.setUint16(4, segment.length);
  view.setUint8(6, TCP);
  view.setUint8(7, 255);
  packet.set(source, 8);
  packet.set(destination, 24);
  packet.set(segment, 40);
  return packet;
}

/** RFC 1071; parts but the last have an even length. */
function checksum(parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let i = 0; i < part.length; i += 2) sum += part[i]! * 256 + (part[i + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

function record(atMs: number, packet: Uint8Array): Uint8Array {
  const whole = new Uint8Array(16 + packet.length);
  const view = new DataView(whole.buffer);
  const seconds = Math.floor(atMs / 1000);
  view.setUint32(0, seconds);
  view.setUint32(4, Math.round((atMs - seconds * 1000) * 1000));
  view.setUint32(8, packet.length);
  view.setUint32(12, packet.length);
  whole.set(packet, 16);
  return whole;
}
