/**
 * Probe packets: what proof and guard send between probe addresses, by UDP or ahead of a TCP stream. A packet
 * has a fixed header and padding; the MAC covers all of it, so that a packet that was bent on its way, or was
 * made by somebody without the change's key, is none.
 *
 *     0 magic   4 version  5 kind  6 length   8 change   16 sender   24 receiver
 *    32 session            40 sequence  44 value    52 MAC    68 padding
 */

import { createHash, createHmac, timingSafeEqual } from "node:crypto";

export const packetKinds = [
  /** Of the proof's first round: is never answered. */
  "first",
  /** Is answered by `reply`, with the bare header. */
  "request",
  "reply",
  /** Opens a TCP transfer, and is what its end is told by. */
  "bulk",
  "bulk-done",
] as const;
export type PacketKind = (typeof packetKinds)[number];

/** 64 bits in hex, made of a name by {@link probeIdentity}. */
export type ProbeIdentity = string;

export interface ProbePacket {
  readonly kind: PacketKind;
  readonly change: ProbeIdentity;
  readonly sender: ProbeIdentity;
  readonly receiver: ProbeIdentity;
  /** Chosen at random by the sender of a request, 64 bits in hex; the answer repeats it. */
  readonly session: string;
  /** Counts from 0 in each session; the answer repeats it. */
  readonly sequence: number;
  /** Microseconds: of the sender's monotonic clock, which the answer repeats; of `bulk-done`, the longest stall. */
  readonly value: number;
}

export const PROBE_HEADER_BYTES = 68;
/** What one UDP datagram carries. */
const LARGEST_BYTES = 65_507;

const MAGIC = 0x53594250;
const VERSION = 1;
const CHANGE = 8;
const SENDER = 16;
const RECEIVER = 24;
const SESSION = 32;
const SEQUENCE = 40;
const VALUE = 44;
const MAC = 52;
const MAC_BYTES = PROBE_HEADER_BYTES - MAC;

/** What stands for a name in packets. */
export function probeIdentity(name: string): ProbeIdentity {
  return createHash("sha256").update(name).digest("hex").slice(0, 16);
}

/** A packet of `bytes`, at least {@link PROBE_HEADER_BYTES}: the rest is padding. */
export function encodePacket(
  packet: ProbePacket,
  key: Uint8Array,
  bytes: number = PROBE_HEADER_BYTES,
): Uint8Array {
  const all = Buffer.alloc(Math.min(LARGEST_BYTES, Math.max(PROBE_HEADER_BYTES, bytes)));
  all.writeUInt32BE(MAGIC, 0);
  all[4] = VERSION;
  all[5] = packetKinds.indexOf(packet.kind) + 1;
  all.writeUInt16BE(all.length, 6);
  all.write(packet.change, CHANGE, 8, "hex");
  all.write(packet.sender, SENDER, 8, "hex");
  all.write(packet.receiver, RECEIVER, 8, "hex");
  all.write(packet.session, SESSION, 8, "hex");
  all.writeUInt32BE(packet.sequence, SEQUENCE);
  all.writeBigUInt64BE(BigInt(packet.value), VALUE);
  macOf(all, key).copy(all, MAC);
  return all;
}

/**
 * The packet that these bytes are; undefined if they are none, or not made with the key that `keyOf` names for
 * its change (undefined: a change that is not known here).
 */
export function decodePacket(
  bytes: Uint8Array,
  keyOf: (change: ProbeIdentity) => Uint8Array | undefined,
): ProbePacket | undefined {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (all.length < PROBE_HEADER_BYTES || all.length > LARGEST_BYTES) return undefined;
  if (all.readUInt32BE(0) !== MAGIC || all[4] !== VERSION) return undefined;
  if (all.readUInt16BE(6) !== all.length) return undefined;
  const kind = packetKinds[(all[5] ?? 0) - 1];
  const value = all.readBigUInt64BE(VALUE);
  if (kind === undefined || value > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  const change = all.toString("hex", CHANGE, CHANGE + 8);
  const key = keyOf(change);
  if (key === undefined) return undefined;
  if (!timingSafeEqual(all.subarray(MAC, MAC + MAC_BYTES), macOf(all, key))) return undefined;
  return {
    kind,
    change,
    sender: all.toString("hex", SENDER, SENDER + 8),
    receiver: all.toString("hex", RECEIVER, RECEIVER + 8),
    session: all.toString("hex", SESSION, SESSION + 8),
    sequence: all.readUInt32BE(SEQUENCE),
    value: Number(value),
  };
}

/** HMAC-SHA256 (RFC 2104), truncated to 128 bits, of everything but itself. */
function macOf(all: Buffer, key: Uint8Array): Buffer {
  return createHmac("sha256", key)
    .update(all.subarray(0, MAC))
    .update(all.subarray(PROBE_HEADER_BYTES))
    .digest()
    .subarray(0, MAC_BYTES);
}
