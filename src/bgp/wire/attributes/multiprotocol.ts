/** MP_REACH_NLRI and MP_UNREACH_NLRI (RFC 4760), for the families this speaker carries. */

import {
  addressFromBytes,
  addressToBytes,
  formatAddress,
  type IpAddress,
} from "../../../lib/index.ts";
import type { AddressFamily } from "../../types.ts";
import { concatBytes, readUint16, uint16 } from "../bytes.ts";
import { afiSafiOf, familyFrom } from "../constants.ts";
import { decodeNlri, type Nlri } from "../nlri.ts";
import { ProtocolError } from "../notification.ts";
import { attributeBytes, type RawAttribute } from "./decode.ts";
import { isHostAddress } from "./scalars.ts";
import type { AttributeContext } from "./types.ts";

export interface MpReach {
  readonly family: AddressFamily;
  readonly nextHop: IpAddress;
  readonly nlri: Nlri;
  /** Why its routes are to be treated as withdrawn. */
  readonly problem?: string;
}

export interface MpUnreach {
  readonly family: AddressFamily;
  readonly nlri: Nlri;
}

/** `undefined`: a family this speaker does not carry. @throws ProtocolError (RFC 7606 section 7.11) */
export function decodeMpReach(
  attribute: RawAttribute,
  context: Pick<AttributeContext, "extendedNextHop" | "addPathReceive">,
): MpReach | undefined {
  const { value } = attribute;
  if (value.length < 5) throw malformed(attribute, "MP_REACH_NLRI is too short");
  const family = familyFrom({ afi: readUint16(value, 0), safi: value[2]! });
  const nextHopBytes = value[3]!;
  if (value.length < 5 + nextHopBytes) {
    throw malformed(attribute, "MP_REACH_NLRI's next hop is cut short");
  }
  if (family === undefined) return undefined;
  const { extendedNextHop = false } = context;
  const short = family === "ipv4-unicast" && !(extendedNextHop && nextHopBytes !== 4);
  const addressBytes = short ? 4 : 16;
  // RFC 2545 section 3: a link-local address may follow the global one.
  if (nextHopBytes !== addressBytes && !(addressBytes === 16 && nextHopBytes === 32)) {
    const reason = `MP_REACH_NLRI for ${family} with a next hop of ${nextHopBytes} bytes`;
    throw malformed(attribute, reason);
  }
  // One reserved byte stands between next hop and NLRI.
  const nlri = decodeField(family, value.subarray(5 + nextHopBytes), context);
  const nextHop = nextHopOf(value.subarray(4, 4 + nextHopBytes), addressBytes);
  if (isHostAddress(nextHop)) return { family, nextHop, nlri };
  return { family, nextHop, nlri, problem: `${formatAddress(nextHop)} is no host's address` };
}

/** Who has no global address tells `::` in its place (as BIRD), or its link-local one twice (as FRR). */
function nextHopOf(field: Uint8Array, addressBytes: 4 | 16): IpAddress {
  const first = addressFromBytes(field.subarray(0, addressBytes));
  return first === 0n && field.length > addressBytes
    ? addressFromBytes(field.subarray(addressBytes))
    : first;
}

/** `undefined`: a family this speaker does not carry. @throws ProtocolError (RFC 7606 section 7.12) */
export function decodeMpUnreach(
  attribute: RawAttribute,
  context: Pick<AttributeContext, "addPathReceive">,
): MpUnreach | undefined {
  const { value } = attribute;
  if (value.length < 3) throw malformed(attribute, "MP_UNREACH_NLRI is too short");
  const family = familyFrom({ afi: readUint16(value, 0), safi: value[2]! });
  if (family === undefined) return undefined;
  return { family, nlri: decodeField(family, value.subarray(3), context) };
}

function decodeField(
  family: AddressFamily,
  field: Uint8Array,
  { addPathReceive = [] }: Pick<AttributeContext, "addPathReceive">,
): Nlri {
  return decodeNlri(field, { family, withIds: addPathReceive.includes(family) });
}

function malformed(attribute: RawAttribute, reason: string): ProtocolError {
  return new ProtocolError("optionalAttribute", reason, attributeBytes(attribute));
}

/** Value of MP_REACH_NLRI up to its NLRI. */
export function mpReachHead(family: AddressFamily, nextHop: IpAddress): Uint8Array {
  const { afi, safi } = afiSafiOf(family);
  const address = addressToBytes(nextHop);
  return concatBytes([uint16(afi), Uint8Array.of(safi, address.length), address, Uint8Array.of(0)]);
}

/** Value of MP_UNREACH_NLRI up to its NLRI. */
export function mpUnreachHead(family: AddressFamily): Uint8Array {
  const { afi, safi } = afiSafiOf(family);
  return concatBytes([uint16(afi), Uint8Array.of(safi)]);
}
