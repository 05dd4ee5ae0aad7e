/**
 * What a receiving peer of the BGP benchmark looks at: prefixes and AS path of an UPDATE with 4-octet AS
 * numbers, which it trusts. Pure.
 */

import type { AddressFamily } from "../src/bgp/index.ts";
import { HEADER_BYTES } from "../src/bgp/wire/index.ts";
import { prefixIndex } from "./bgp-routes.ts";

const AS_PATH = 2;
const MP_REACH_NLRI = 14;
const MP_UNREACH_NLRI = 15;
const EXTENDED_LENGTH = 0x10;
/** AFI and SAFI. */
const FAMILY_BYTES = 3;

export interface UpdateSink {
  /** `index`: number of the prefix. */
  withdrawn(index: number): void;
  announced(index: number, asPath: readonly number[]): void;
}

interface Field {
  readonly family: AddressFamily;
  readonly at: number;
  readonly end: number;
}

export function readUpdate(message: Uint8Array, sink: UpdateSink): void {
  const family = "ipv4-unicast";
  const withdrawn = (index: number) => sink.withdrawn(index);
  let at = HEADER_BYTES + 2;
  const withdrawnEnd = at + uint16(message, at - 2);
  readPrefixes(message, { family, at, end: withdrawnEnd }, withdrawn);
  at = withdrawnEnd + 2;
  const end = at + uint16(message, withdrawnEnd);
  let asPath: readonly number[] = [];
  /** What stands in MP_REACH_NLRI comes before the AS path (RFC 7606 section 5.1). */
  let reached: Field | undefined;
  while (at < end) {
    const long = (message[at]! & EXTENDED_LENGTH) !== 0;
    const type = message[at + 1];
    const length = long ? uint16(message, at + 2) : message[at + 2]!;
    const value = at + (long ? 4 : 3);
    at = value + length;
    if (type === AS_PATH) asPath = readPath(message, value, at);
    else if (type === MP_UNREACH_NLRI) {
      readPrefixes(message, multiprotocol(value + FAMILY_BYTES, at), withdrawn);
    } else if (type === MP_REACH_NLRI) {
      // Its length, the next hop, and a reserved byte.
      reached = multiprotocol(value + FAMILY_BYTES + 2 + message[value + FAMILY_BYTES]!, at);
    }
  }
  const announced = (index: number) => sink.announced(index, asPath);
  if (reached) readPrefixes(message, reached, announced);
  readPrefixes(message, { family, at: end, end: message.length }, announced);
}

function multiprotocol(at: number, end: number): Field {
  return { family: "ipv6-unicast", at, end };
}

function readPath(message: Uint8Array, start: number, end: number): number[] {
  const path: number[] = [];
  for (let at = start; at < end; ) {
    const count = message[at + 1]!;
    at += 2;
    for (let i = 0; i < count; i++, at += 4)
      path.push(uint16(message, at) * 65536 + uint16(message, at + 2));
  }
  return path;
}

function readPrefixes(message: Uint8Array, field: Field, each: (index: number) => void): void {
  const { family, end } = field;
  const headBytes = family === "ipv4-unicast" ? 4 : 6;
  for (let { at } = field; at < end; ) {
    const bytes = (message[at]! + 7) >>> 3;
    let head = 0;
    for (let i = 1; i <= headBytes; i++) head = head * 256 + (i <= bytes ? message[at + i]! : 0);
    each(prefixIndex(family, head));
    at += 1 + bytes;
  }
}

function uint16(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 256 + bytes[at + 1]!;
}
