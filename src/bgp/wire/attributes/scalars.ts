/** The attributes that are one number: ORIGIN, NEXT_HOP, MULTI_EXIT_DISC, LOCAL_PREF, ORIGINATOR_ID. */

import type { IpAddress, Ipv4 } from "../../../lib/index.ts";
import { readUint32 } from "../bytes.ts";
import { attributeFlag, attributeType } from "../constants.ts";
import type { AttributeCodec, AttributeDraft, Origin } from "./types.ts";

const { optional, transitive } = attributeFlag;
const origins: readonly Origin[] = ["igp", "egp", "incomplete"];

export function originNumber(origin: Origin): number {
  return origins.indexOf(origin);
}

export const originCodec: AttributeCodec = {
  type: attributeType.origin,
  flags: transitive,
  onError: "treat-as-withdraw",
  decode(value, draft) {
    if (value.length !== 1) return `length ${value.length}`;
    const origin = origins[value[0]!];
    if (origin === undefined) return `value ${value[0]}`;
    draft.origin = origin;
    return undefined;
  },
};

export const nextHopCodec: AttributeCodec = {
  type: attributeType.nextHop,
  flags: transitive,
  onError: "treat-as-withdraw",
  decode(value, draft) {
    if (value.length !== 4) return `length ${value.length}`;
    const address = readUint32(value, 0) as Ipv4;
    if (!isHostAddress(address)) return `${value.join(".")} is no host's address`;
    draft.nextHop = address;
    return undefined;
  },
};

/**
 * RFC 4271 section 6.3: a next hop must be a host's address. 0/8, multicast and above are none, nor are
 * `::` and ff00::/8 (127/8 and ::1 are left to tests on loopback).
 */
export function isHostAddress(address: IpAddress): boolean {
  if (typeof address === "number") {
    const top = address >>> 24;
    return top !== 0 && top < 224;
  }
  return address !== 0n && (address as bigint) >> 120n !== 0xffn;
}

type NumberField = "med" | "localPref" | "onlyToCustomer";

function uint32Codec(type: number, flags: number, field: NumberField): AttributeCodec {
  return {
    type,
    flags,
    onError: "treat-as-withdraw",
    decode(value, draft: AttributeDraft) {
      if (value.length !== 4) return `length ${value.length}`;
      draft[field] = readUint32(value, 0);
      return undefined;
    },
  };
}

export const medCodec: AttributeCodec = uint32Codec(attributeType.multiExitDisc, optional, "med");

export const localPrefCodec: AttributeCodec = {
  ...uint32Codec(attributeType.localPref, transitive, "localPref"),
  ignoredFrom: ({ peerType }) => peerType === "ebgp",
};

/** RFC 9234 section 5. */
export const onlyToCustomerCodec: AttributeCodec = uint32Codec(
  attributeType.onlyToCustomer,
  optional | transitive,
  "onlyToCustomer",
);

export const originatorIdCodec: AttributeCodec = {
  type: attributeType.originatorId,
  flags: optional,
  onError: "treat-as-withdraw",
  ignoredFrom: ({ peerType }) => peerType === "ebgp",
  decode(value, draft) {
    if (value.length !== 4) return `length ${value.length}`;
    draft.originatorId = readUint32(value, 0) as Ipv4;
    return undefined;
  },
};
