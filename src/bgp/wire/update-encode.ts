/** UPDATE out: as many prefixes per message as fit (RFC 4271 section 4.3; IPv6 by RFC 4760). */

import { type IpAddress, isIpv4 } from "../../lib/index.ts";
import type { AddressFamily } from "../types.ts";
import { encodeAttribute } from "./attributes/encode.ts";
import { mpReachHead, mpUnreachHead } from "./attributes/multiprotocol.ts";
import {
  attributeFlag,
  attributeType,
  HEADER_BYTES,
  MAXIMUM_EXTENDED_MESSAGE_BYTES,
  messageType,
} from "./constants.ts";
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
    return pack({
      ...options,
      otherBytes: attributes.length,
      build: (nlri) => classic({ attributes, announced: nlri }),
    });
  }
  const head = mpReachHead(family, nextHop);
  return pack({
    ...options,
    otherBytes: MP_HEADER_BYTES + head.length + attributes.length,
    build: (nlri) =>
      classic({
        // RFC 7606 section 5.1: MP_REACH_NLRI goes first.
        attributes: join(mpAttribute(attributeType.mpReachNlri, join(head, nlri)), attributes),
      }),
  });
}

/** Messages that withdraw all keys. */
export function encodeWithdraw(
  options: Nlri & { readonly family: AddressFamily; readonly maximumBytes: number },
): Uint8Array[] {
  const { family } = options;
  if (family === "ipv4-unicast") {
    return pack({ ...options, otherBytes: 0, build: (nlri) => classic({ withdrawn: nlri }) });
  }
  const otherBytes = MP_HEADER_BYTES + mpUnreachHead(family).length;
  return pack({ ...options, otherBytes, build: (nlri) => unreach(family, nlri) });
}

/** RFC 4724 section 2. */
export function encodeEndOfRib(family: AddressFamily): Uint8Array {
  return family === "ipv4-unicast" ? classic({}) : unreach(family, nothing);
}

function unreach(family: AddressFamily, nlri: Uint8Array): Uint8Array {
  const value = join(mpUnreachHead(family), nlri);
  return classic({ attributes: mpAttribute(attributeType.mpUnreachNlri, value) });
}

interface PackOptions extends Nlri {
  readonly maximumBytes: number;
  /** Of a message, beside its header, its two lengths and its NLRI. */
  readonly otherBytes: number;
  /** Makes a message from its NLRI bytes, of which it takes a copy. */
  readonly build: (nlri: Uint8Array) => Uint8Array;
}

const buffer = new Uint8Array(MAXIMUM_EXTENDED_MESSAGE_BYTES);

/** Fills messages greedily. */
function pack({ keys, ids, maximumBytes, otherBytes, build }: PackOptions): Uint8Array[] {
  const room = maximumBytes - HEADER_BYTES - 4 - otherBytes;
  const messages: Uint8Array[] = [];
  let used = 0;
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index]!;
    const size = nlriBytes(key) + (ids === undefined ? 0 : PATH_ID_BYTES);
    if (size > room) return [];
    if (used + size > room) {
      messages.push(build(buffer.subarray(0, used)));
      used = 0;
    }
    if (ids !== undefined) used = writeId(ids[index]!, buffer, used);
    used = writeNlri(key, buffer, used);
  }
  if (used > 0) messages.push(build(buffer.subarray(0, used)));
  return messages;
}

function classic(parts: {
  withdrawn?: Uint8Array;
  attributes?: Uint8Array;
  announced?: Uint8Array;
}): Uint8Array {
  const { withdrawn = nothing, attributes = nothing, announced = nothing } = parts;
  const message = new Uint8Array(
    HEADER_BYTES + 4 + withdrawn.length + attributes.length + announced.length,
  );
  writeHeader(message, messageType.update);
  let at = HEADER_BYTES;
  message[at] = withdrawn.length >>> 8;
  message[at + 1] = withdrawn.length & 255;
  message.set(withdrawn, at + 2);
  at += 2 + withdrawn.length;
  message[at] = attributes.length >>> 8;
  message[at + 1] = attributes.length & 255;
  message.set(attributes, at + 2);
  message.set(announced, at + 2 + attributes.length);
  return message;
}

/** Always with the two-byte length, so that a message's overhead does not depend on its NLRI. */
function mpAttribute(type: number, value: Uint8Array): Uint8Array {
  return value.length > 255
    ? encodeAttribute(optional, type, value)
    : join(Uint8Array.of(optional | extendedLength, type, 0, value.length), value);
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}
