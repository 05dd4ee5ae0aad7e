/** Path attributes written as a block, in the order of their type codes (RFC 4271 section 5). */

import { isIpv4 } from "../../../lib/index.ts";
import { ByteWriter } from "../bytes.ts";
import { attributeFlag, attributeType } from "../constants.ts";
import { encodeAggregator } from "./aggregator.ts";
import { segmentsBytes, writeSegments } from "./as-path.ts";
import { originNumber } from "./scalars.ts";
import type { PathAttributes } from "./types.ts";

const { optional, transitive, partial, extendedLength } = attributeFlag;

/**
 * Everything but MP_REACH_NLRI and MP_UNREACH_NLRI; an IPv6 next hop is therefore left out, it goes
 * with its NLRI. Towards a 2-octet peer AS4_PATH and AS4_AGGREGATOR are added where numbers need it.
 */
export function encodeAttributes(
  attributes: PathAttributes,
  options: { readonly fourOctetAs: boolean },
): Uint8Array {
  return viewAttributes(attributes, options).slice();
}

const writer = new ByteWriter();

/** As {@link encodeAttributes}, without a copy: good until the next call. */
export function viewAttributes(
  attributes: PathAttributes,
  options: { readonly fourOctetAs: boolean },
): Uint8Array {
  writer.clear();
  const asBytes = options.fourOctetAs ? 4 : 2;
  const { asPath, aggregator, communities, clusterList } = attributes;
  unknown(attributes, -1, attributeType.origin);
  head(transitive, attributeType.origin, 1);
  writer.uint8(originNumber(attributes.origin));
  head(transitive, attributeType.asPath, segmentsBytes(asPath, asBytes));
  writeSegments(writer, asPath, asBytes);
  if (isIpv4(attributes.nextHop)) number(transitive, attributeType.nextHop, attributes.nextHop);
  number(optional, attributeType.multiExitDisc, attributes.med);
  number(transitive, attributeType.localPref, attributes.localPref);
  if (attributes.atomicAggregate) head(transitive, attributeType.atomicAggregate, 0);
  if (aggregator) {
    const value = encodeAggregator(aggregator, asBytes);
    passed(attributes, attributeType.aggregator, value);
  }
  if (communities?.length) {
    numbers(flagsOf(attributes, attributeType.communities), attributeType.communities, communities);
  }
  number(optional, attributeType.originatorId, attributes.originatorId);
  if (clusterList?.length) numbers(optional, attributeType.clusterList, clusterList);
  unknown(attributes, attributeType.origin, attributeType.extendedCommunities);
  passed(attributes, attributeType.extendedCommunities, attributes.extendedCommunities);
  if (!options.fourOctetAs) {
    if (asPath.some(({ asns }) => asns.some(isLong))) {
      head(optional | transitive, attributeType.as4Path, segmentsBytes(asPath, 4));
      writeSegments(writer, asPath, 4);
    }
    if (aggregator && isLong(aggregator.as)) {
      const value = encodeAggregator(aggregator, 4);
      bytes(optional | transitive, attributeType.as4Aggregator, value);
    }
  }
  unknown(attributes, attributeType.extendedCommunities, attributeType.largeCommunities);
  passed(attributes, attributeType.largeCommunities, attributes.largeCommunities);
  unknown(attributes, attributeType.largeCommunities, attributeType.onlyToCustomer);
  number(
    flagsOf(attributes, attributeType.onlyToCustomer),
    attributeType.onlyToCustomer,
    attributes.onlyToCustomer,
  );
  unknown(attributes, attributeType.onlyToCustomer, Number.POSITIVE_INFINITY);
  return writer.view();
}

/** Those between two types: all stand in the order of theirs. */
function unknown(attributes: PathAttributes, after: number, before: number): void {
  if (attributes.unknown === undefined) return;
  for (const { type, value } of attributes.unknown) {
    if (type > after && type < before) bytes(optional | transitive | partial, type, value);
  }
}

/** Of an optional transitive attribute: the Partial bit that came with it stays (RFC 4271 section 5). */
function flagsOf({ partial: marked }: PathAttributes, type: number): number {
  return optional | transitive | (marked?.includes(type) ? partial : 0);
}

function passed(attributes: PathAttributes, type: number, value: Uint8Array | undefined): void {
  bytes(flagsOf(attributes, type), type, value);
}

function head(flags: number, type: number, length: number): void {
  if (length > 255) {
    writer.uint8(flags | extendedLength);
    writer.uint8(type);
    writer.uint16(length);
  } else {
    writer.uint8(flags);
    writer.uint8(type);
    writer.uint8(length);
  }
}

function number(flags: number, type: number, value: number | undefined): void {
  if (value === undefined) return;
  head(flags, type, 4);
  writer.uint32(value);
}

function numbers(flags: number, type: number, list: readonly number[]): void {
  head(flags, type, 4 * list.length);
  for (const value of list) writer.uint32(value);
}

function bytes(flags: number, type: number, value: Uint8Array | undefined): void {
  if (value === undefined) return;
  head(flags, type, value.length);
  writer.bytes(value);
}

function isLong(as: number): boolean {
  return as > 0xffff;
}
