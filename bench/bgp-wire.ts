/** Messages of the BGP benchmark, encoded before its clock starts; and what a receiving peer looks at. */

import {
  concatBytes,
  encodeAnnounce,
  encodeAttributes,
  encodeOpen,
  encodeWithdraw,
  HEADER_BYTES,
  keyOfPrefix,
} from "../src/bgp/wire/index.ts";
import { type Ipv4, ipv4, type Prefix } from "../src/lib/index.ts";
import {
  type Batch,
  type BgpCase,
  batches,
  feederAddress,
  prefixAt,
  type Step,
} from "./bgp-cases.ts";

const family = "ipv4-unicast" as const;
const maximumBytes = 4096;
const AS_PATH = 2;
const EXTENDED_LENGTH = 0x10;

export function openOf(peer: {
  readonly as: number;
  readonly address: string;
  readonly holdTimeSeconds: number;
  readonly afi: 1 | 2;
}): Uint8Array {
  return encodeOpen({
    kind: "open",
    as: peer.as,
    holdTimeSeconds: peer.holdTimeSeconds,
    routerId: ipv4(peer.address),
    capabilities: [
      { kind: "multiprotocol", afi: peer.afi, safi: 1 },
      { kind: "route-refresh" },
      { kind: "four-octet-as", as: peer.as },
    ],
  });
}

/** All that a feeder sends in a step, in one piece. */
export function stepBytes(bgp: BgpCase, step: Step, feeder: number): Uint8Array {
  const nextHop = ipv4(feederAddress(feeder));
  const internal = bgp.shape !== "fabric";
  const encoded = batches(bgp, step, feeder).flatMap((batch) => encode(batch, nextHop, internal));
  return concatBytes(encoded);
}

function encode({ attributes, prefixes }: Batch, nextHop: Ipv4, internal: boolean): Uint8Array[] {
  const keys = prefixes.map((index) => keyOfPrefix(prefixAt(index) as Prefix));
  if (attributes === undefined) return encodeWithdraw({ family, keys, maximumBytes });
  const { asPath, ...rest } = attributes;
  const bytes = encodeAttributes(
    {
      ...rest,
      origin: "igp",
      asPath: [{ kind: "sequence", asns: asPath }],
      nextHop,
      ...(internal ? { localPref: 100 } : {}),
    },
    { fourOctetAs: true },
  );
  return encodeAnnounce({ family, attributes: bytes, nextHop, keys, maximumBytes });
}

export interface UpdateSink {
  /** `address` of an IPv4 prefix. */
  withdrawn(address: number): void;
  announced(address: number, asPath: readonly number[]): void;
}

/** Reads as much of an IPv4 UPDATE with 4-octet AS numbers as the benchmark needs, and trusts it. */
export function readUpdate(message: Uint8Array, sink: UpdateSink): void {
  let at = HEADER_BYTES + 2;
  const withdrawnEnd = at + uint16(message, at - 2);
  at = readPrefixes(message, { at, end: withdrawnEnd, each: (address) => sink.withdrawn(address) });
  const end = at + 2 + uint16(message, at);
  at += 2;
  if (end === message.length) return;
  let asPath: readonly number[] = [];
  while (at < end) {
    const long = (message[at]! & EXTENDED_LENGTH) !== 0;
    const length = long ? uint16(message, at + 2) : message[at + 2]!;
    const value = at + (long ? 4 : 3);
    if (message[at + 1] === AS_PATH) asPath = readPath(message, value, value + length);
    at = value + length;
  }
  const each = (address: number) => sink.announced(address, asPath);
  readPrefixes(message, { at, end: message.length, each });
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

function readPrefixes(
  message: Uint8Array,
  field: { at: number; readonly end: number; readonly each: (address: number) => void },
): number {
  let { at } = field;
  while (at < field.end) {
    const bytes = (message[at]! + 7) >>> 3;
    let address = 0;
    for (let i = 1; i <= 4; i++) address = address * 256 + (i <= bytes ? message[at + i]! : 0);
    field.each(address);
    at += 1 + bytes;
  }
  return at;
}

function uint16(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 256 + bytes[at + 1]!;
}
