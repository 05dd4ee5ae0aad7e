/**
 * NLRI (RFC 4271 section 4.3): a length in bits, then as many bytes as hold them; with a path identifier
 * before each where the session tells them (RFC 7911 section 3).
 */

import type { AddressFamily } from "../types.ts";
import { readUint32, uint32 } from "./bytes.ts";
import { ProtocolError } from "./notification.ts";
import type { PrefixKey } from "./prefix-key.ts";

/** Prefixes, and beside them their path identifiers where there are such. */
export interface Nlri {
  readonly keys: readonly PrefixKey[];
  readonly ids?: readonly number[] | undefined;
}

export const PATH_ID_BYTES = 4;

/** Both, with 0 for the identifiers that one of them does not have. */
export function joinNlri(a: Nlri, b: Nlri): Nlri {
  if (b.keys.length === 0) return a;
  if (a.keys.length === 0) return b;
  const keys = a.keys.concat(b.keys);
  if (a.ids === undefined && b.ids === undefined) return { keys };
  return { keys, ids: idsOf(a).concat(idsOf(b)) };
}

function idsOf({ keys, ids }: Nlri): readonly number[] {
  return ids ?? keys.map(() => 0);
}

/** Reads a whole field of a family. @throws ProtocolError when it is malformed (RFC 7606 section 5.3) */
export function decodeNlri(
  field: Uint8Array,
  options: { readonly family: AddressFamily; readonly withIds: boolean },
): Nlri {
  const keys: PrefixKey[] = [];
  const ids = options.withIds ? [] : undefined;
  if (options.family === "ipv4-unicast") decode4(field, keys, ids);
  else decode6(field, keys, ids);
  return { keys, ids };
}

function decode4(field: Uint8Array, into: PrefixKey[], ids: number[] | undefined): void {
  let at = 0;
  while (at < field.length) {
    if (ids !== undefined) at = readId(field, at, ids);
    const length = field[at]!;
    const bytes = (length + 7) >>> 3;
    if (length > 32 || at + 1 + bytes > field.length) throw invalid(length, 32);
    let address = 0;
    for (let i = 0; i < 4; i++) {
      address = address * 256 + (i < bytes ? field[at + 1 + i]! : 0);
    }
    // Bits beyond the length have no meaning and must not make a second route.
    const mask = length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
    into.push(((address & mask) >>> 0) * 64 + length);
    at += 1 + bytes;
  }
}

const address6 = new Uint8Array(16);
const words6 = new DataView(address6.buffer);

function decode6(field: Uint8Array, into: PrefixKey[], ids: number[] | undefined): void {
  let at = 0;
  while (at < field.length) {
    if (ids !== undefined) at = readId(field, at, ids);
    const length = field[at]!;
    const bytes = (length + 7) >>> 3;
    if (length > 128 || at + 1 + bytes > field.length) throw invalid(length, 128);
    for (let i = 0; i < 16; i++) address6[i] = i < bytes ? field[at + 1 + i]! : 0;
    // Bits beyond the length have no meaning and must not make a second route.
    if (bytes > 0) address6[bytes - 1]! &= 0xff << (8 * bytes - length);
    const high = words6.getBigUint64(0) << 72n;
    const low = length > 64 ? words6.getBigUint64(8) << 8n : 0n;
    into.push(high | low | BigInt(length));
    at += 1 + bytes;
  }
}

function readId(field: Uint8Array, at: number, ids: number[]): number {
  // The length of the prefix has to follow.
  if (at + PATH_ID_BYTES >= field.length) {
    throw new ProtocolError("invalidNetworkField", "a path identifier runs past its field");
  }
  ids.push(readUint32(field, at));
  return at + PATH_ID_BYTES;
}

export function nlriBytes(key: PrefixKey): number {
  const length = typeof key === "number" ? key % 64 : Number(key & 255n);
  return 1 + ((length + 7) >>> 3);
}

/** Writes one prefix at `offset`; returns the offset after it. The caller made room ({@link nlriBytes}). */
export function writeNlri(key: PrefixKey, bytes: Uint8Array, offset: number): number {
  return typeof key === "number" ? write4(key, bytes, offset) : write6(key, bytes, offset);
}

/** Writes what goes before a prefix; as {@link writeNlri}. */
export function writeId(id: number, bytes: Uint8Array, offset: number): number {
  bytes.set(uint32(id), offset);
  return offset + PATH_ID_BYTES;
}

function write4(key: number, bytes: Uint8Array, offset: number): number {
  const length = key % 64;
  const address = (key - length) / 64;
  bytes[offset] = length;
  const end = offset + 1 + ((length + 7) >>> 3);
  for (let at = offset + 1, shift = 24; at < end; at++, shift -= 8) {
    bytes[at] = (address >>> shift) & 255;
  }
  return end;
}

function write6(key: bigint, bytes: Uint8Array, offset: number): number {
  const length = Number(key & 255n);
  bytes[offset] = length;
  const end = offset + 1 + ((length + 7) >>> 3);
  let word = 0;
  for (let at = offset + 1, shift = 104n, left = 0; at < end; at++, left--) {
    if (left === 0) {
      word = Number(BigInt.asUintN(32, key >> shift));
      shift -= 32n;
      left = 4;
    }
    bytes[at] = word >>> (8 * (left - 1));
  }
  return end;
}

function invalid(length: number, maximum: number): ProtocolError {
  return new ProtocolError(
    "invalidNetworkField",
    length > maximum ? `prefix length ${length}` : "a prefix runs past its field",
  );
}
