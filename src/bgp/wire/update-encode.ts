/** UPDATE out: as many prefixes per message as fit (RFC 4271 section 4.3; IPv6 by RFC 4760). */

import { type IpAddress, isIpv4 } from "../../lib/index.ts";
import type { AddressFamily } from "../types.ts";
import { mpReachHead, mpUnreachHead } from "./attributes/multiprotocol.ts";
import { concatBytes, uint16 } from "./bytes.ts";
import { attributeFlag, attributeType, HEADER_BYTES, messageType } from "./constants.ts";
import { writeHeader } from "./header.ts";
import { type Nlri, nlriBytes, PATH_ID_BYTES, writeId, writeNlri } from "./nlri.ts";

const { optional, extendedLength } = attributeFlag;
/** Of MP_REACH_NLRI and MP_UNREACH_NLRI as they are written here. */
const MP_HEADER_BYTES = 4;
const nothing = new Uint8Array(0);

export interface AnnounceOptions extends Nlri {
  readonly family: AddressFamily;
  /** From `encodeAttributes`. */
  readonly attributes: Uint8Array;
  /** An IPv6 one goes into MP_REACH_NLRI; an IPv4 one stands in `attributes`. */
  readonly nextHop: IpAddress;
  readonly maximumBytes: number;
}

/** Messages that announce all keys. A set too large for any message yields none. */
export function encodeAnnounce(options: AnnounceOptions): Uint8Array[] {
  const { family, attributes, nextHop } = options;
  // An IPv4 prefix with an IPv6 next hop goes as RFC 8950 section 3 says.
  if (family === "ipv4-unicast" && isIpv4(nextHop)) {
    const before = concatBytes([uint16(0), uint16(attributes.length), attributes]);
    return pack({ ...options, frame: { before: () => before, after: nothing } });
  }
  const head = mpReachHead(family, nextHop);
  // RFC 7606 section 5.1: MP_REACH_NLRI goes first.
  const type = attributeType.mpReachNlri;
  const frame = multiprotocol({ type, head, after: attributes });
  return pack({ ...options, frame });
}

/** Messages that withdraw all keys. */
export function encodeWithdraw(
  options: Nlri & { readonly family: AddressFamily; readonly maximumBytes: number },
): Uint8Array[] {
  const { family } = options;
  if (family !== "ipv4-unicast") return pack({ ...options, frame: unreach(family) });
  const noAttributes = uint16(0);
  return pack({ ...options, frame: { before: uint16, after: noAttributes } });
}

/** RFC 4724 section 2. */
export function encodeEndOfRib(family: AddressFamily): Uint8Array {
  if (family === "ipv4-unicast") return message(new Uint8Array(4), { length: 0 }, nothing).bytes;
  const { before, after } = unreach(family);
  return message(before(0), { length: 0 }, after).bytes;
}

/** A message but for its header and its NLRI, of which it is told how many bytes there are. */
interface Frame {
  /** As long whatever the NLRI. */
  readonly before: (nlriLength: number) => Uint8Array;
  readonly after: Uint8Array;
}

function unreach(family: AddressFamily): Frame {
  const type = attributeType.mpUnreachNlri;
  return multiprotocol({ type, head: mpUnreachHead(family), after: nothing });
}

/** NLRI in an attribute, always with the two-byte length. */
function multiprotocol(parts: { type: number; head: Uint8Array; after: Uint8Array }): Frame {
  const { type, head, after } = parts;
  return {
    before: (nlriLength) => {
      const value = head.length + nlriLength;
      return concatBytes([
        uint16(0),
        uint16(MP_HEADER_BYTES + value + after.length),
        Uint8Array.of(optional | extendedLength, type),
        uint16(value),
        head,
      ]);
    },
    after,
  };
}

interface PackOptions extends Nlri {
  readonly maximumBytes: number;
  readonly frame: Frame;
}

/** Fills messages greedily. */
function pack({ keys, ids, maximumBytes, frame }: PackOptions): Uint8Array[] {
  const { before, after } = frame;
  const room = maximumBytes - HEADER_BYTES - before(0).length - after.length;
  const messages: Uint8Array[] = [];
  for (let from = 0; from < keys.length; ) {
    let to = from;
    let length = 0;
    for (; to < keys.length; to++) {
      const size = nlriBytes(keys[to]!) + (ids === undefined ? 0 : PATH_ID_BYTES);
      if (length + size > room) break;
      length += size;
    }
    if (to === from) return [];
    const { bytes, nlriAt } = message(before(length), { length }, after);
    for (let at = nlriAt; from < to; from++) {
      if (ids !== undefined) at = writeId(ids[from]!, bytes, at);
      at = writeNlri(keys[from]!, bytes, at);
    }
    messages.push(bytes);
  }
  return messages;
}

/** With room for its NLRI. */
function message(
  before: Uint8Array,
  nlri: { readonly length: number },
  after: Uint8Array,
): { readonly bytes: Uint8Array; readonly nlriAt: number } {
  const nlriAt = HEADER_BYTES + before.length;
  const bytes = new Uint8Array(nlriAt + nlri.length + after.length);
  writeHeader(bytes, messageType.update);
  bytes.set(before, HEADER_BYTES);
  bytes.set(after, nlriAt + nlri.length);
  return { bytes, nlriAt };
}
