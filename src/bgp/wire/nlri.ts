/** NLRI (RFC 4271 section 4.3): a length in bits, then as many bytes as hold them. */

import { readUint32 } from "./bytes.ts";
import { ProtocolError } from "./notification.ts";
import type { PrefixKey } from "./prefix-key.ts";

/** Appends the keys of a whole field. @throws ProtocolError when it is malformed (RFC 7606 section 5.3) */
export function decodeNlri4(field: Uint8Array, into: PrefixKey[]): void {
  let at = 0;
  while (at < field.length) {
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

/** As {@link decodeNlri4}, for IPv6. @throws ProtocolError */
export function decodeNlri6(field: Uint8Array, into: PrefixKey[]): void {
  const padded = new Uint8Array(16);
  let at = 0;
  while (at < field.length) {
    const length = field[at]!;
    const bytes = (length + 7) >>> 3;
    if (length > 128 || at + 1 + bytes > field.length) throw invalid(length, 128);
    padded.fill(0);
    padded.set(field.subarray(at + 1, at + 1 + bytes));
    let address = 0n;
    for (let i = 0; i < 16; i += 4) address = (address << 32n) | BigInt(readUint32(padded, i));
    const shift = BigInt(128 - length);
    into.push((((address >> shift) << shift) << 8n) | BigInt(length));
    at += 1 + bytes;
  }
}

export function nlriBytes(key: PrefixKey): number {
  const length = typeof key === "number" ? key % 64 : Number(key & 255n);
  return 1 + ((length + 7) >>> 3);
}

/** Writes one prefix at `offset`; returns the offset after it. The caller made room ({@link nlriBytes}). */
export function writeNlri(key: PrefixKey, bytes: Uint8Array, offset: number): number {
  return typeof key === "number" ? write4(key, bytes, offset) : write6(key, bytes, offset);
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
  for (let at = offset + 1, shift = 128n; at < end; at++, shift -= 8n) {
    bytes[at] = Number((key >> shift) & 255n);
  }
  return end;
}

function invalid(length: number, maximum: number): ProtocolError {
  return new ProtocolError(
    "invalidNetworkField",
    length > maximum ? `prefix length ${length}` : "a prefix runs past its field",
  );
}
