/**
 * The bytes in the maps of bpf/ipip.bpf.c. Host byte order is little-endian on every machine Node.js
 * runs our Linux builds on; addresses are in network order, as the packets hold them.
 */

import type { Ipv4, Prefix4 } from "../../lib/index.ts";
import type { BpfMapInfo } from "../../lib/sys/index.ts";
import type { IpipCounters } from "./types.ts";

export const ENCAP = "ipip_encap";
export const DECAP = "ipip_decap";

export type MapName = "ipip_config" | "ipip_dests" | "ipip_senders" | "ipip_counters";

/** What a running map must look like to be adopted: BPF_MAP_TYPE_*, sizes, capacity. */
export const mapShapes: Readonly<Record<MapName, Omit<BpfMapInfo, "id" | "name">>> = {
  ipip_config: { type: 2, keyBytes: 4, valueBytes: 28, maxEntries: 1 },
  ipip_dests: { type: 11, keyBytes: 8, valueBytes: 4, maxEntries: 1 << 20 },
  ipip_senders: { type: 1, keyBytes: 4, valueBytes: 4, maxEntries: 1 << 16 },
  ipip_counters: { type: 6, keyBytes: 4, valueBytes: 8, maxEntries: 7 },
};

export const mapNames = Object.keys(mapShapes) as readonly MapName[];

/** IPIP_LAYOUT of the C source. */
export const LAYOUT = 1;

const FLAG_ACCEPT = 1;
const FLAG_OWNS_QDISC = 2;

/** `struct ipip_config`. */
export interface IpipConfig {
  readonly local: Ipv4;
  /** Interface index. */
  readonly uplink: number;
  /** Interface index. */
  readonly tunnel: number;
  readonly tunnelMac: string;
  readonly accept: boolean;
  /** We, or a predecessor, made the uplink's clsact qdisc. */
  readonly ownsQdisc: boolean;
}

export const configKey = encodeIndex(0);

export function encodeConfig(config: IpipConfig): Buffer {
  const bytes = Buffer.alloc(mapShapes.ipip_config.valueBytes);
  bytes.writeUInt32LE(LAYOUT, 0);
  bytes.writeUInt32BE(config.local, 4);
  bytes.writeUInt32LE(config.uplink, 8);
  bytes.writeUInt32LE(config.tunnel, 12);
  bytes.writeUInt32LE(
    (config.accept ? FLAG_ACCEPT : 0) | (config.ownsQdisc ? FLAG_OWNS_QDISC : 0),
    16,
  );
  bytes.set(Buffer.from(config.tunnelMac.replaceAll(":", ""), "hex"), 20);
  return bytes;
}

/** `undefined` for bytes of another layout, or never written. */
export function decodeConfig(bytes: Buffer): IpipConfig | undefined {
  if (bytes.length !== mapShapes.ipip_config.valueBytes) return undefined;
  if (bytes.readUInt32LE(0) !== LAYOUT) return undefined;
  const flags = bytes.readUInt32LE(16);
  return {
    local: bytes.readUInt32BE(4) as Ipv4,
    uplink: bytes.readUInt32LE(8),
    tunnel: bytes.readUInt32LE(12),
    tunnelMac: [...bytes.subarray(20, 26)]
      .map((byte) => byte.toString(16).padStart(2, "0"))
      .join(":"),
    accept: (flags & FLAG_ACCEPT) !== 0,
    ownsQdisc: (flags & FLAG_OWNS_QDISC) !== 0,
  };
}

/** `struct ipip_prefix`: the length, then the address. */
export function encodePrefix(prefix: Prefix4): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(prefix.length, 0);
  bytes.writeUInt32BE(prefix.address, 4);
  return bytes;
}

export function encodeIpv4(address: Ipv4): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(address);
  return bytes;
}

/** Entries of a map as numbers, which a JavaScript Map compares quickly. */
export interface EntryCodec {
  encodeKey(key: number): Buffer;
  decodeKey(bytes: Buffer): number;
  encodeValue(value: number): Buffer;
  decodeValue(bytes: Buffer): number;
}

/** A prefix as one number: 32 bits of address, 6 of length. */
export function prefixNumber(prefix: Prefix4): number {
  return prefix.address * 64 + prefix.length;
}

/** `ipip_dests`: prefix -> node. */
export const destinationCodec: EntryCodec = {
  encodeKey: (key) => encodePrefix({ address: Math.floor(key / 64) as Ipv4, length: key % 64 }),
  decodeKey: (bytes) => bytes.readUInt32BE(4) * 64 + bytes.readUInt32LE(0),
  encodeValue: (value) => encodeIpv4(value as Ipv4),
  decodeValue: (bytes) => bytes.readUInt32BE(0),
};

/** `ipip_senders`: node -> 1. */
export const senderCodec: EntryCodec = {
  encodeKey: (key) => encodeIpv4(key as Ipv4),
  decodeKey: (bytes) => bytes.readUInt32BE(0),
  encodeValue: (value) => encodeIndex(value),
  decodeValue: (bytes) => bytes.readUInt32LE(0),
};

/** A `__u32`, such as the key of an array map. */
export function encodeIndex(index: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(index);
  return bytes;
}

/** In the order of `enum ipip_counter`. */
const counterNames = [
  "encapsulated",
  "decapsulated",
  "noDestination",
  "unknownSender",
  "notAccepted",
  "notIpv4",
  "errors",
] as const satisfies readonly (keyof IpipCounters)[];

export const noCounters: IpipCounters = {
  encapsulated: 0,
  decapsulated: 0,
  noDestination: 0,
  unknownSender: 0,
  notAccepted: 0,
  notIpv4: 0,
  errors: 0,
};

/** Sums over the CPUs. `read` gives the bytes of the counter at an index. */
export function decodeCounters(read: (index: number) => Buffer): IpipCounters {
  const entries = counterNames.map((name, index) => {
    const perCpu = read(index);
    let sum = 0n;
    for (let offset = 0; offset + 8 <= perCpu.length; offset += 8) {
      sum += perCpu.readBigUInt64LE(offset);
    }
    return [name, Number(sum)] as const;
  });
  return { ...noCounters, ...Object.fromEntries(entries) };
}
