/**
 * Messages as MRT (RFC 6396): BGP4MP_ET records, MESSAGE_AS4 where AS numbers have four octets and
 * MESSAGE where they have two; the LOCAL subtypes for what this side sent, the ADDPATH ones (RFC 8050)
 * for UPDATEs with path identifiers.
 */

import { type IpAddress, isIpv4 } from "../../lib/index.ts";
import type { KeptMessage } from "../index.ts";
import { HEADER_BYTES, messageType } from "../wire/index.ts";
import { addressBytes } from "./address-bytes.ts";

const BGP4MP_ET = 17;
/** RFC 6396 section 4.4, and RFC 8050 section 4 where NLRI have path identifiers. */
const MESSAGE = { received: 1, sent: 6, receivedPaths: 8, sentPaths: 10 };
const MESSAGE_AS4 = { received: 4, sent: 7, receivedPaths: 9, sentPaths: 11 };
const AS_TRANS = 23456;
const COMMON_HEADER_BYTES = 12;

export interface DumpEnds {
  readonly peerAs: number;
  readonly localAs: number;
  readonly peerAddress: IpAddress;
  readonly port: number;
}

export function mrtRecord(message: KeptMessage, ends: DumpEnds): Uint8Array {
  const { atMs, connection, bytes } = message;
  const { peerAddress } = ends;
  const four = connection.reading.fourOctetAs;
  const asBytes = four ? 4 : 2;
  const peer = addressBytes(peerAddress);
  const local = addressBytes(connection.localAddress, peer.length);
  const length = 4 + 2 * asBytes + 4 + 2 * peer.length + bytes.length;
  const record = new Uint8Array(COMMON_HEADER_BYTES + length);
  const view = new DataView(record.buffer);
  const seconds = Math.floor(atMs / 1000);
  const subtypes = four ? MESSAGE_AS4 : MESSAGE;
  view.setUint32(0, seconds);
  view.setUint16(4, BGP4MP_ET);
  view.setUint16(6, subtypes[kindOf(message)]);
  view.setUint32(8, length);
  // Section 3: the microseconds count as part of the message.
  view.setUint32(12, Math.round((atMs - seconds * 1000) * 1000));
  let at = 16;
  for (const as of [ends.peerAs, ends.localAs]) {
    if (four) view.setUint32(at, as);
    else view.setUint16(at, as > 0xffff ? AS_TRANS : as);
    at += asBytes;
  }
  // Interface index: none is known, and 0 says so.
  view.setUint16(at + 2, isIpv4(peerAddress) ? 1 : 2);
  record.set(peer, at + 4);
  record.set(local, at + 4 + peer.length);
  record.set(bytes, at + 4 + 2 * peer.length);
  return record;
}

function kindOf({ sent, bytes, connection: { reading } }: KeptMessage): keyof typeof MESSAGE {
  const update = bytes[HEADER_BYTES - 1] === messageType.update;
  if (sent) return update && reading.addPathSend.length > 0 ? "sentPaths" : "sent";
  return update && reading.addPathReceive.length > 0 ? "receivedPaths" : "received";
}
