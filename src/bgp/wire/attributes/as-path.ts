/** AS_PATH (RFC 4271 section 4.3 b) and AS4_PATH (RFC 6793), and what is done with a path of ASes. */

import { type ByteWriter, concatBytes, readUint16, readUint32 } from "../bytes.ts";
import { AS_TRANS, attributeFlag, attributeType } from "../constants.ts";
import type { AsSegment, AttributeCodec } from "./types.ts";

const SET = 1;
const SEQUENCE = 2;
const CONFEDERATION_SEQUENCE = 3;
const CONFEDERATION_SET = 4;
const MAXIMUM_SEGMENT = 255;

export const asPathCodec: AttributeCodec = {
  type: attributeType.asPath,
  flags: attributeFlag.transitive,
  onError: "treat-as-withdraw",
  decode(value, draft, { fourOctetAs }) {
    const segments = decodeSegments(value, fourOctetAs ? 4 : 2);
    if (typeof segments === "string") return segments;
    draft.asPath = segments;
    return undefined;
  },
};

export const as4PathCodec: AttributeCodec = {
  type: attributeType.as4Path,
  flags: attributeFlag.optional | attributeFlag.transitive,
  onError: "discard",
  ignoredFrom: ({ fourOctetAs }) => fourOctetAs,
  decode(value, draft) {
    if (value.length === 0) return "no AS (RFC 6793 section 6)";
    const { kept, left } = withoutConfederations(value);
    const segments = decodeSegments(kept, 4);
    if (segments === A_SET) return { grade: "treat-as-withdraw", reason: A_SET };
    if (typeof segments === "string") return segments;
    draft.as4Path = segments;
    if (left === 0) return undefined;
    return { grade: "discard", reason: `${left} confederation segments left out` };
  },
};

/**
 * RFC 6793 section 6: they do not belong there, and what does is used without them. Sets of them stay:
 * they cost the route (RFC 9774 section 3).
 */
function withoutConfederations(value: Uint8Array): { kept: Uint8Array; left: number } {
  const parts: Uint8Array[] = [];
  let left = 0;
  for (let at = 0, end = at; at < value.length; at = end) {
    // Of a header or a segment that is cut short `decodeSegments` complains.
    end = at + 2 + 4 * (value[at + 1] ?? 0);
    if (value[at] !== CONFEDERATION_SEQUENCE || end > value.length) {
      parts.push(value.subarray(at, end));
    } else left++;
  }
  return { kept: left === 0 ? value : concatBytes(parts), left };
}

/** RFC 9774 section 3. */
const A_SET = "an AS_SET or AS_CONFED_SET (RFC 9774)";

function decodeSegments(value: Uint8Array, asBytes: 2 | 4): AsSegment[] | string {
  const segments: AsSegment[] = [];
  let sets = 0;
  let at = 0;
  while (at < value.length) {
    if (at + 2 > value.length) return "a segment header is cut short";
    const type = value[at]!;
    const count = value[at + 1]!;
    at += 2;
    // Confederation segments too: this speaker is in none (RFC 5065 section 5).
    if (type === CONFEDERATION_SEQUENCE || type < SET || type > CONFEDERATION_SET) {
      return `segment type ${type}`;
    }
    if (count === 0) return "an empty segment";
    if (at + count * asBytes > value.length) return "a segment runs past the attribute";
    const asns = new Array<number>(count);
    for (let i = 0; i < count; i++, at += asBytes) {
      asns[i] = asBytes === 4 ? readUint32(value, at) : readUint16(value, at);
      if (asns[i] === 0) return "AS 0 (RFC 7607)";
    }
    if (type === SEQUENCE) segments.push({ kind: "sequence", asns });
    else sets++;
  }
  // Last: what has no structure has no sets either.
  return sets > 0 ? A_SET : segments;
}

/** Of the attribute's value: a segment too long for its count is cut. */
export function segmentsBytes(segments: readonly AsSegment[], asBytes: 2 | 4): number {
  let length = 0;
  for (const { asns } of segments) {
    length += 2 * Math.ceil(asns.length / MAXIMUM_SEGMENT) + asBytes * asns.length;
  }
  return length;
}

/** The attribute's value; numbers that need four octets become AS_TRANS when there are two. */
export function writeSegments(
  writer: ByteWriter,
  segments: readonly AsSegment[],
  asBytes: 2 | 4,
): void {
  for (const { kind, asns } of segments) {
    for (let start = 0; start < asns.length; start += MAXIMUM_SEGMENT) {
      const end = Math.min(asns.length, start + MAXIMUM_SEGMENT);
      writer.uint8(kind === "set" ? SET : SEQUENCE);
      writer.uint8(end - start);
      for (let at = start; at < end; at++) {
        const as = asns[at]!;
        if (asBytes === 4) writer.uint32(as);
        else writer.uint16(as > 0xffff ? AS_TRANS : as);
      }
    }
  }
}

/** RFC 4271 section 9.1.2.2 a: a set counts as one. */
export function asPathLength(path: readonly AsSegment[]): number {
  let length = 0;
  for (const { kind, asns } of path) length += kind === "set" ? 1 : asns.length;
  return length;
}

/** How often the AS stands in the path. */
export function asPathCount(path: readonly AsSegment[], as: number): number {
  let count = 0;
  for (const { asns } of path) for (const each of asns) if (each === as) count++;
  return count;
}

export function asPathNumbers(path: readonly AsSegment[]): number[] {
  return path.flatMap(({ asns }) => asns);
}

/** The neighbouring AS the route came from; 0 for a path without one. */
export function neighbourAs(path: readonly AsSegment[]): number {
  const first = path[0];
  return first?.kind === "sequence" ? (first.asns[0] ?? 0) : 0;
}

/** RFC 4271 section 5.1.2 b. */
export function prependAs(path: readonly AsSegment[], as: number): readonly AsSegment[] {
  const first = path[0];
  if (first?.kind !== "sequence" || first.asns.length >= MAXIMUM_SEGMENT) {
    return [{ kind: "sequence", asns: [as] }, ...path];
  }
  const made = path.slice();
  made[0] = { kind: "sequence", asns: [as].concat(first.asns) };
  return made;
}

/** RFC 6793 section 4.2.3: the true path, from what a 2-octet peer passed on. */
export function mergeAs4Path(
  path: readonly AsSegment[],
  as4Path: readonly AsSegment[],
): readonly AsSegment[] {
  let lead = asPathLength(path) - asPathLength(as4Path);
  if (lead < 0) return path;
  const merged: AsSegment[] = [];
  for (const segment of path) {
    if (lead <= 0) break;
    const asns = segment.kind === "set" ? segment.asns : segment.asns.slice(0, lead);
    merged.push({ kind: segment.kind, asns });
    lead -= segment.kind === "set" ? 1 : asns.length;
  }
  const last = merged.at(-1);
  const [first, ...rest] = as4Path;
  if (
    last?.kind === "sequence" &&
    first?.kind === "sequence" &&
    last.asns.length + first.asns.length <= MAXIMUM_SEGMENT
  ) {
    const joined: AsSegment = { kind: "sequence", asns: [...last.asns, ...first.asns] };
    return [...merged.slice(0, -1), joined, ...rest];
  }
  return [...merged, ...as4Path];
}
