/** OPEN (RFC 4271 section 4.2), with the extended parameter length of RFC 9072. */

import type { Ipv4 } from "../../lib/index.ts";
import { concatBytes, readUint16, readUint32, uint16, uint32 } from "./bytes.ts";
import { type Capability, decodeCapabilities, encodeCapability } from "./capabilities.ts";
import { AS_TRANS, BGP_VERSION, HEADER_BYTES, messageType } from "./constants.ts";
import { encodeMessage } from "./header.ts";
import { ProtocolError } from "./notification.ts";

export interface Open {
  readonly kind: "open";
  /** The 4-octet AS where the capability gives one, else the 2-octet field. */
  readonly as: number;
  readonly holdTimeSeconds: number;
  readonly routerId: Ipv4;
  readonly capabilities: readonly Capability[];
}

const CAPABILITIES_PARAMETER = 2;
/** RFC 9072 section 2: as the type of the first parameter, the extended form follows. */
const EXTENDED = 255;
const MAXIMUM_BYTES = 255;

export function encodeOpen(open: Open): Uint8Array {
  const capabilities = concatBytes(open.capabilities.map(encodeCapability));
  const head = concatBytes([
    Uint8Array.of(BGP_VERSION),
    uint16(open.as > 0xffff ? AS_TRANS : open.as),
    uint16(open.holdTimeSeconds),
    uint32(open.routerId),
  ]);
  return encodeMessage(messageType.open, concatBytes([head, encodeParameters(capabilities)]));
}

function encodeParameters(capabilities: Uint8Array): Uint8Array {
  if (capabilities.length === 0) return Uint8Array.of(0);
  if (capabilities.length + 2 <= MAXIMUM_BYTES) {
    const head = [capabilities.length + 2, CAPABILITIES_PARAMETER, capabilities.length];
    return concatBytes([Uint8Array.from(head), capabilities]);
  }
  return concatBytes([
    Uint8Array.of(EXTENDED, EXTENDED),
    uint16(capabilities.length + 3),
    Uint8Array.of(CAPABILITIES_PARAMETER),
    uint16(capabilities.length),
    capabilities,
  ]);
}

/** `message` is whole, its header already checked (at least 29 bytes). @throws ProtocolError */
export function decodeOpen(message: Uint8Array): Open {
  const at = HEADER_BYTES;
  const version = message[at]!;
  if (version !== BGP_VERSION) {
    // RFC 4271 section 6.2: the data is the largest version supported.
    throw new ProtocolError("unsupportedVersion", `version ${version}`, uint16(BGP_VERSION));
  }
  const shortAs = readUint16(message, at + 1);
  const holdTimeSeconds = readUint16(message, at + 3);
  if (holdTimeSeconds === 1 || holdTimeSeconds === 2) {
    throw new ProtocolError("unacceptableHoldTime", `hold time ${holdTimeSeconds} s`);
  }
  const routerId = readUint32(message, at + 5) as Ipv4;
  if (routerId === 0) throw new ProtocolError("badIdentifier", "the identifier is 0.0.0.0");
  const capabilities = decodeParameters(message.subarray(at + 9));
  // RFC 6793 section 4.1: the capability, where there is one, overrules the field.
  const four = capabilities.findLast((capability) => capability.kind === "four-octet-as");
  const as = four?.as ?? shortAs;
  if (as === 0 || shortAs === 0) throw new ProtocolError("badPeerAs", "AS 0 (RFC 7607)");
  return { kind: "open", as, holdTimeSeconds, routerId, capabilities };
}

function decodeParameters(bytes: Uint8Array): Capability[] {
  // The old length means nothing then, but that there is a type.
  const extended = bytes[0] !== 0 && bytes[1] === EXTENDED;
  const start = extended ? 4 : 1;
  if (bytes.length < start) throw overrun();
  const length = extended ? readUint16(bytes, 2) : bytes[0]!;
  if (bytes.length !== start + length) throw overrun();
  const headBytes = extended ? 3 : 2;
  const capabilities: Capability[] = [];
  let at = start;
  while (at < bytes.length) {
    if (at + headBytes > bytes.length) throw overrun();
    const type = bytes[at]!;
    const valueBytes = extended ? readUint16(bytes, at + 1) : bytes[at + 1]!;
    at += headBytes;
    if (at + valueBytes > bytes.length) throw overrun();
    if (type !== CAPABILITIES_PARAMETER) {
      throw new ProtocolError("unsupportedOptionalParameter", `parameter type ${type}`);
    }
    capabilities.push(...decodeCapabilities(bytes.subarray(at, at + valueBytes)));
    at += valueBytes;
  }
  return capabilities;
}

function overrun(): ProtocolError {
  return new ProtocolError("openUnspecific", "the optional parameters do not fit their lengths");
}
