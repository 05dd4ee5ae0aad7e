/** Large (RFC 8092) and extended (RFC 4360) communities: from the bytes routes share to values and back. */

import type { LargeCommunity } from "../../types.ts";

const LARGE_BYTES = 12;
const EXTENDED_BYTES = 8;
/** RFC 4360 section 2: the second bit of the type says that it stays inside an AS. */
const NON_TRANSITIVE = 0x40;

export function largeCommunities(bytes: Uint8Array = new Uint8Array(0)): LargeCommunity[] {
  const view = viewOf(bytes);
  const list: LargeCommunity[] = [];
  for (let at = 0; at < bytes.length; at += LARGE_BYTES) {
    list.push([view.getUint32(at), view.getUint32(at + 4), view.getUint32(at + 8)]);
  }
  return list;
}

export function encodeLargeCommunities(list: readonly LargeCommunity[]): Uint8Array {
  const bytes = new Uint8Array(list.length * LARGE_BYTES);
  const view = viewOf(bytes);
  for (const [index, community] of list.entries()) {
    for (const [part, value] of community.entries()) {
      view.setUint32(index * LARGE_BYTES + part * 4, value);
    }
  }
  return withoutDuplicates(bytes, LARGE_BYTES);
}

/** Whether the list, as on the wire, holds the one that `wanted` is the encoding of. */
export function holdsLargeCommunity(list: Uint8Array, wanted: Uint8Array): boolean {
  for (let at = 0; at < list.length; at += LARGE_BYTES) {
    let same = 0;
    while (same < LARGE_BYTES && list[at + same] === wanted[same]) same++;
    if (same === LARGE_BYTES) return true;
  }
  return false;
}

/** As they are on the wire, type first. */
export function extendedCommunities(bytes: Uint8Array = new Uint8Array(0)): bigint[] {
  const view = viewOf(bytes);
  const list: bigint[] = [];
  for (let at = 0; at < bytes.length; at += EXTENDED_BYTES) list.push(view.getBigUint64(at));
  return list;
}

/** RFC 4360 section 6: what may cross the border of an AS; `undefined` when that is nothing. */
export function transitiveCommunities(bytes: Uint8Array): Uint8Array | undefined {
  const kept: number[] = [];
  for (let at = 0; at < bytes.length; at += EXTENDED_BYTES) {
    if ((bytes[at]! & NON_TRANSITIVE) === 0) kept.push(...bytes.subarray(at, at + EXTENDED_BYTES));
  }
  if (kept.length === bytes.length) return bytes;
  return kept.length === 0 ? undefined : Uint8Array.from(kept);
}

/** RFC 8092 section 5: the same one twice says nothing more. Always a copy. */
export function withoutDuplicates(bytes: Uint8Array, itemBytes: number): Uint8Array {
  const seen = new Set<string>();
  const kept: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += itemBytes) {
    const item = bytes.subarray(at, at + itemBytes);
    const key = item.join();
    if (!seen.has(key)) kept.push(item);
    seen.add(key);
  }
  const whole = new Uint8Array(kept.length * itemBytes);
  for (const [index, item] of kept.entries()) whole.set(item, index * itemBytes);
  return whole;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
