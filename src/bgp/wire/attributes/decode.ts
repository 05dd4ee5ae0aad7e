/**
 * The path attribute block of an UPDATE, read in two passes: {@link scanAttributes} cuts it into
 * attributes without looking inside, {@link decodeAttributes} gives them meaning. What is wrong is
 * graded as RFC 7606 says; only what must end the session is thrown.
 */

import { AS_TRANS, attributeFlag, attributeType } from "../constants.ts";
import { ProtocolError } from "../notification.ts";
import { aggregatorCodec, as4AggregatorCodec, atomicAggregateCodec } from "./aggregator.ts";
import { as4PathCodec, asPathCodec, mergeAs4Path } from "./as-path.ts";
import {
  clusterListCodec,
  communitiesCodec,
  extendedCommunitiesCodec,
  largeCommunitiesCodec,
} from "./lists.ts";
import {
  localPrefCodec,
  medCodec,
  nextHopCodec,
  onlyToCustomerCodec,
  originatorIdCodec,
  originCodec,
} from "./scalars.ts";
import type {
  AttributeCodec,
  AttributeContext,
  AttributeDraft,
  UnknownAttribute,
} from "./types.ts";

const { optional, transitive, extendedLength } = attributeFlag;
/** Of an attribute that may be known to some on the way and not to others. */
const partial = optional | transitive | attributeFlag.partial;

const codecs = new Map<number, AttributeCodec>(
  [
    originCodec,
    asPathCodec,
    nextHopCodec,
    medCodec,
    localPrefCodec,
    atomicAggregateCodec,
    aggregatorCodec,
    communitiesCodec,
    originatorIdCodec,
    clusterListCodec,
    extendedCommunitiesCodec,
    as4PathCodec,
    as4AggregatorCodec,
    largeCommunitiesCodec,
    onlyToCustomerCodec,
  ].map((codec) => [codec.type, codec]),
);

export interface RawAttribute {
  readonly flags: number;
  readonly type: number;
  /** Where flags, type, length and value stand in the block. */
  readonly start: number;
  readonly end: number;
  readonly value: Uint8Array;
}

export interface ScannedAttributes {
  /** All but the two MP attributes; the first of each type (RFC 7606 section 3 g). */
  readonly attributes: readonly RawAttribute[];
  readonly mpReach?: RawAttribute;
  readonly mpUnreach?: RawAttribute;
  /** Why the routes must be withdrawn: the attributes' lengths do not add up (RFC 7606 section 4). */
  readonly broken?: string;
}

/** Types, in the block that is looked at. */
const seen = new Uint8Array(256);

/** @throws ProtocolError for an MP attribute that appears twice, or an unknown well-known attribute */
export function scanAttributes(block: Uint8Array): ScannedAttributes {
  const attributes: RawAttribute[] = [];
  seen.fill(0);
  const multiprotocol: { mpReach?: RawAttribute; mpUnreach?: RawAttribute } = {};
  let at = 0;
  while (at < block.length) {
    const flags = block[at]!;
    const long = (flags & extendedLength) !== 0;
    const head = long ? 4 : 3;
    if (at + head > block.length) {
      return { attributes, ...multiprotocol, broken: "an attribute header is cut short" };
    }
    const type = block[at + 1]!;
    const length = long ? block[at + 2]! * 256 + block[at + 3]! : block[at + 2]!;
    const end = at + head + length;
    if (end > block.length) {
      return { attributes, ...multiprotocol, broken: `attribute ${type} runs past the block` };
    }
    const attribute = { flags, type, start: at, end, value: block.subarray(at + head, end) };
    at = end;
    const isReach = type === attributeType.mpReachNlri;
    if (isReach || type === attributeType.mpUnreachNlri) {
      if (seen[type] === 1) {
        throw new ProtocolError("malformedAttributeList", `attribute ${type} appears twice`);
      }
      multiprotocol[isReach ? "mpReach" : "mpUnreach"] = attribute;
    } else if (seen[type] === 0) {
      // Before all else, as it is what costs most (RFC 7606 section 3 h).
      if ((flags & optional) === 0 && !codecs.has(type)) throw unrecognized(attribute);
      attributes.push(attribute);
    }
    seen[type] = 1;
  }
  return { attributes, ...multiprotocol };
}

export interface DecodedAttributes {
  readonly draft: AttributeDraft;
  /** The first reason to treat the routes as withdrawn. */
  readonly withdraw?: string;
  /** Attributes that were left out, and why. */
  readonly discarded: readonly string[];
}

export function decodeAttributes(
  raw: readonly RawAttribute[],
  context: AttributeContext,
): DecodedAttributes {
  const draft: AttributeDraft = {};
  const unknown: UnknownAttribute[] = [];
  const partials: number[] = [];
  const discarded: string[] = [];
  let withdraw: string | undefined;
  for (const attribute of raw) {
    const codec = codecs.get(attribute.type);
    if (codec === undefined) {
      keepUnknown(attribute, unknown);
      continue;
    }
    if (codec.ignoredFrom?.(context)) continue;
    const problem = flagsProblem(attribute, codec);
    if (problem !== undefined) {
      // RFC 7606 section 3 c: wrong flags are always worth a withdrawal.
      withdraw ??= `attribute ${attribute.type}: ${problem}`;
      continue;
    }
    const wrong = codec.decode(attribute.value, draft, context);
    if (wrong === undefined) {
      if ((attribute.flags & partial) === partial) partials.push(attribute.type);
      continue;
    }
    const { grade, reason } =
      typeof wrong === "string" ? { grade: codec.onError, reason: wrong } : wrong;
    const text = `attribute ${attribute.type}: ${reason}`;
    if (grade === "discard") discarded.push(text);
    else withdraw ??= text;
  }
  if (unknown.length > 0) draft.unknown = unknown.sort((a, b) => a.type - b.type);
  if (partials.length > 0) draft.partial = partials;
  if (!context.fourOctetAs) reconstruct(draft);
  return { draft, discarded, ...(withdraw === undefined ? {} : { withdraw }) };
}

function flagsProblem({ flags }: RawAttribute, codec: AttributeCodec): string | undefined {
  return (flags & (optional | transitive)) === codec.flags
    ? undefined
    : `flags 0x${flags.toString(16)}`;
}

function keepUnknown({ flags, type, value }: RawAttribute, unknown: UnknownAttribute[]): void {
  // RFC 4271 section 5: unknown non-transitive ones are quietly ignored.
  if ((flags & transitive) !== 0) unknown.push({ type, value: value.slice() });
}

function unrecognized(attribute: RawAttribute): ProtocolError {
  const reason = `attribute ${attribute.type}`;
  return new ProtocolError("unrecognizedWellKnown", reason, attributeBytes(attribute));
}

/** As it came: what a NOTIFICATION about it carries (RFC 4271 section 6.3). */
export function attributeBytes({ value, start, end }: RawAttribute): Uint8Array {
  const headBytes = end - start - value.length;
  return new Uint8Array(value.buffer, value.byteOffset - headBytes, end - start).slice();
}

/** RFC 6793 section 4.2.3. */
function reconstruct(draft: AttributeDraft): void {
  const { as4Path, as4Aggregator, aggregator, asPath } = draft;
  delete draft.as4Path;
  delete draft.as4Aggregator;
  // Somebody on the way aggregated without knowing 4-octet numbers: what they carry is outdated.
  if (aggregator && aggregator.as !== AS_TRANS && as4Aggregator) return;
  if (aggregator && as4Aggregator) draft.aggregator = as4Aggregator;
  if (asPath && as4Path) draft.asPath = mergeAs4Path(asPath, as4Path);
}
