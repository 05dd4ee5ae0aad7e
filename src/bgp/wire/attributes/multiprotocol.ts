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
import { decodeNlri4, decodeNlri6 } from "../nlri.ts";
import { ProtocolError } from "../notification.ts";
import type { PrefixKey } from "../prefix-key.ts";
import { isHostAddress } from "./scalars.ts";
import type { AttributeContext } from "./types.ts";

export interface MpReach {
  readonly family: AddressFamily;
  readonly nextHop: IpAddress;
  readonly keys: PrefixKey[];
  /** Why its routes are to be treated as withdrawn. */
  readonly problem?: string;
}

export interface MpUnreach {
  readonly family: AddressFamily;
  readonly keys: PrefixKey[];
}

/** `undefined`: a family this speaker does not carry. @throws ProtocolError (RFC 7606 section 7.11) */
export function decodeMpReach(
  value: Uint8Array,
  { extendedNextHop = false }: Pick<AttributeContext, "extendedNextHop">,
): MpReach | undefined {
  if (value.length < 5) throw malformed("MP_REACH_NLRI is too short");
  const family = familyFrom({ afi: readUint16(value, 0), safi: value[2]! });
  const nextHopBytes = value[3]!;
  if (value.length < 5 + nextHopBytes) throw malformed("MP_REACH_NLRI's next hop is cut short");
  if (family === undefined) return undefined;
  const short = family === "ipv4-unicast" && !(extendedNextHop && nextHopBytes !== 4);
  const addressBytes = short ? 4 : 16;
  // RFC 2545 section 3: a link-local address may follow the global one.
  if (nextHopBytes !== addressBytes && !(addressBytes === 16 && nextHopBytes === 32)) {
    throw malformed(`MP_REACH_NLRI for ${family} with a next hop of ${nextHopBytes} bytes`);
  }
  const keys: PrefixKey[] = [];
  // One reserved byte stands between next hop and NLRI.
  decodeField(family, value.subarray(5 + nextHopBytes), keys);
  const nextHop = addressFromBytes(value.subarray(4, 4 + addressBytes));
  if (isHostAddress(nextHop)) return { family, nextHop, keys };
  return { family, nextHop, keys, problem: `${formatAddress(nextHop)} is no host's address` };
}

/** `undefined`: a family this speaker does not carry. @throws ProtocolError (RFC 7606 section 7.12) */
export function decodeMpUnreach(value: Uint8Array): MpUnreach | undefined {
  if (value.length < 3) throw malformed("MP_UNREACH_NLRI is too short");
  const family = familyFrom({ afi: readUint16(value, 0), safi: value[2]! });
  if (family === undefined) return undefined;
  const keys: PrefixKey[] = [];
  decodeField(family, value.subarray(3), keys);
  return { family, keys };
}

function decodeField(family: AddressFamily, field: Uint8Array, into: PrefixKey[]): void {
  if (family === "ipv4-unicast") decodeNlri4(field, into);
  else decodeNlri6(field, into);
}

function malformed(reason: string): ProtocolError {
  return new ProtocolError("optionalAttribute", reason);
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
