/** Path attributes written as a block, in the order of their type codes (RFC 4271 section 5). */

import { isIpv4 } from "../../../lib/index.ts";
import { concatBytes, uint32 } from "../bytes.ts";
import { attributeFlag, attributeType } from "../constants.ts";
import { encodeAggregator } from "./aggregator.ts";
import { encodeSegments } from "./as-path.ts";
import { encodeNumbers } from "./lists.ts";
import { originNumber } from "./scalars.ts";
import type { PathAttributes } from "./types.ts";

const { optional, transitive, partial, extendedLength } = attributeFlag;

/** One attribute with its header. */
export function encodeAttribute(flags: number, type: number, value: Uint8Array): Uint8Array {
  const long = value.length > 255;
  const head = long
    ? [flags | extendedLength, type, value.length >>> 8, value.length & 255]
    : [flags, type, value.length];
  return concatBytes([Uint8Array.from(head), value]);
}

/**
 * Everything but MP_REACH_NLRI and MP_UNREACH_NLRI; an IPv6 next hop is therefore left out, it goes
 * with its NLRI. Towards a 2-octet peer AS4_PATH and AS4_AGGREGATOR are added where numbers need it.
 */
export function encodeAttributes(
  attributes: PathAttributes,
  options: { readonly fourOctetAs: boolean },
): Uint8Array {
  const asBytes = options.fourOctetAs ? 4 : 2;
  const parts: Uint8Array[] = [];
  const add = (flags: number, type: number, value: Uint8Array) => {
    parts.push(encodeAttribute(flags, type, value));
  };
  const { asPath, aggregator } = attributes;
  add(transitive, attributeType.origin, Uint8Array.of(originNumber(attributes.origin)));
  add(transitive, attributeType.asPath, encodeSegments(asPath, asBytes));
  if (isIpv4(attributes.nextHop)) {
    add(transitive, attributeType.nextHop, uint32(attributes.nextHop));
  }
  if (attributes.med !== undefined) {
    add(optional, attributeType.multiExitDisc, uint32(attributes.med));
  }
  if (attributes.localPref !== undefined) {
    add(transitive, attributeType.localPref, uint32(attributes.localPref));
  }
  if (attributes.atomicAggregate) {
    add(transitive, attributeType.atomicAggregate, new Uint8Array(0));
  }
  if (aggregator) {
    add(optional | transitive, attributeType.aggregator, encodeAggregator(aggregator, asBytes));
  }
  if (attributes.communities?.length) {
    add(optional | transitive, attributeType.communities, encodeNumbers(attributes.communities));
  }
  if (attributes.originatorId !== undefined) {
    add(optional, attributeType.originatorId, uint32(attributes.originatorId));
  }
  if (attributes.clusterList?.length) {
    add(optional, attributeType.clusterList, encodeNumbers(attributes.clusterList));
  }
  if (attributes.extendedCommunities) {
    add(optional | transitive, attributeType.extendedCommunities, attributes.extendedCommunities);
  }
  if (!options.fourOctetAs) {
    if (asPath.some(({ asns }) => asns.some(isLong))) {
      add(optional | transitive, attributeType.as4Path, encodeSegments(asPath, 4));
    }
    if (aggregator && isLong(aggregator.as)) {
      add(optional | transitive, attributeType.as4Aggregator, encodeAggregator(aggregator, 4));
    }
  }
  if (attributes.largeCommunities) {
    add(optional | transitive, attributeType.largeCommunities, attributes.largeCommunities);
  }
  if (attributes.onlyToCustomer !== undefined) {
    const value = uint32(attributes.onlyToCustomer);
    add(optional | transitive, attributeType.onlyToCustomer, value);
  }
  for (const { type, value } of attributes.unknown ?? []) {
    add(optional | transitive | partial, type, value);
  }
  return concatBytes(parts);
}

function isLong(as: number): boolean {
  return as > 0xffff;
}
