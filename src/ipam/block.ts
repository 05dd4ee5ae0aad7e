/**
 * Arithmetic of one allocation block, without I/O: every function takes a block and gives a new one.
 *
 * A block is an array of ordinals. `allocations[o]` is null when free, else an index into
 * `attributes`, where equal attributes are stored once. `unallocated` is the queue of free ordinals:
 * taken from its head, given back to its tail, so that the address freed longest ago is reused first.
 * A freed ordinal waits out its cooldown as an allocation to an attribute with `releasedAt`.
 */

import {
  addressAt,
  formatPrefix,
  type IpAddress,
  maskAddress,
  type Prefix,
  prefix,
  prefixContains,
  prefixSize,
} from "../lib/index.ts";
import type { SpecOf } from "../model/index.ts";

export type BlockSpec = SpecOf<"IPAMBlock">;
type Attribute = BlockSpec["attributes"][number];

export type Attributes = Readonly<Record<string, string>>;

/** What one ordinal of a block is used for. */
export type Allocation =
  | { readonly kind: "free" }
  | { readonly kind: "cooldown"; readonly releasedAt: string }
  | {
      readonly kind: "allocated";
      readonly handle: string | undefined;
      readonly attributes: Attributes;
      readonly sequenceNumber: bigint;
    };

/** Windows nodes keep a few ordinals of each block; they do not make a block count as used. */
const WINDOWS_RESERVED_HANDLE = "windows-reserved-ipam-handle";

/** RFC 3339 with seconds, as Kubernetes writes times. */
export function timestamp(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/\.\d+Z$/, "Z");
}

export function newBlock(options: {
  readonly cidr: Prefix;
  readonly affinity: string;
  readonly nowMs: number;
}): BlockSpec {
  const size = prefixSize(options.cidr);
  return {
    cidr: formatPrefix(options.cidr),
    affinity: options.affinity,
    affinityClaimTime: timestamp(options.nowMs),
    allocations: new Array<null>(size).fill(null),
    unallocated: Array.from({ length: size }, (_, ordinal) => ordinal),
    attributes: [],
    // Starting at the clock keeps numbers of a deleted block from coming back in its successor.
    sequenceNumber: BigInt(Math.floor(options.nowMs)) * 1_000_000n,
    sequenceNumberForAllocation: {},
    deleted: false,
    strictAffinity: false,
  };
}

/** The block as it is written next: each write has its own sequence number. */
export function withNextSequenceNumber(block: BlockSpec): BlockSpec {
  return { ...block, sequenceNumber: BigInt(block.sequenceNumber) + 1n };
}

/** Allocations survive; nobody owns the rest any more. */
export function withoutAffinity(block: BlockSpec): BlockSpec {
  const { affinity: _affinity, affinityClaimTime: _claimTime, ...rest } = block;
  return rest;
}

export function addressOfOrdinal(block: BlockSpec, ordinal: number): IpAddress {
  return addressAt(prefix(block.cidr), ordinal);
}

/** `undefined` if the address is outside the block. */
export function ordinalOfAddress(block: BlockSpec, address: IpAddress): number | undefined {
  const cidr = prefix(block.cidr);
  if (!prefixContains(cidr, address)) return undefined;
  return Number(BigInt(address) - BigInt(maskAddress(cidr.address, cidr.length)));
}

export function allocationAt(block: BlockSpec, ordinal: number): Allocation {
  const index = block.allocations[ordinal];
  if (index === null || index === undefined) return { kind: "free" };
  const attribute = block.attributes[index];
  if (attribute?.releasedAt) return { kind: "cooldown", releasedAt: attribute.releasedAt };
  return {
    kind: "allocated",
    handle: attribute?.handle_id ?? undefined,
    attributes: attribute?.secondary ?? {},
    sequenceNumber: BigInt(block.sequenceNumberForAllocation?.[ordinal] ?? 0),
  };
}

export function ordinalsOfHandle(block: BlockSpec, handle: string): number[] {
  return block.allocations.flatMap((_, ordinal) => {
    const allocation = allocationAt(block, ordinal);
    return allocation.kind === "allocated" && allocation.handle === handle ? [ordinal] : [];
  });
}

/** True if nothing is allocated. Ordinals in cooldown still count. */
export function isEmptyBlock(block: BlockSpec): boolean {
  return block.allocations.every((index) => {
    if (index === null) return true;
    return block.attributes[index]?.handle_id === WINDOWS_RESERVED_HANDLE;
  });
}

export interface Owner {
  readonly handle: string;
  readonly attributes: Attributes;
}

/** Takes up to `count` free ordinals from the head of the queue. */
export function allocateFree(
  block: BlockSpec,
  options: Owner & { readonly count: number },
): { readonly block: BlockSpec; readonly ordinals: readonly number[] } {
  const ordinals = block.unallocated.slice(0, options.count);
  if (ordinals.length === 0) return { block, ordinals };
  return { block: allocate(block, { ...options, ordinals }), ordinals };
}

/** Takes one named ordinal, which must be free. */
export function allocateOrdinal(
  block: BlockSpec,
  options: Owner & { readonly ordinal: number },
): BlockSpec {
  return allocate(block, { ...options, ordinals: [options.ordinal] });
}

function allocate(
  block: BlockSpec,
  options: Owner & { readonly ordinals: readonly number[] },
): BlockSpec {
  const taken = new Set(options.ordinals);
  const { attributes, index } = internAttribute(block.attributes, {
    handle_id: options.handle,
    secondary: { ...options.attributes },
  });
  const sequence = { ...block.sequenceNumberForAllocation };
  for (const ordinal of taken) sequence[ordinal] = block.sequenceNumber;
  return {
    ...block,
    allocations: block.allocations.map((old, ordinal) => (taken.has(ordinal) ? index : old)),
    unallocated: block.unallocated.filter((ordinal) => !taken.has(ordinal)),
    attributes,
    sequenceNumberForAllocation: sequence,
  };
}

/** Marks ordinals as released; {@link collectReleased} frees them when their cooldown is over. */
export function releaseOrdinals(
  block: BlockSpec,
  options: { readonly ordinals: readonly number[]; readonly nowMs: number },
): BlockSpec {
  const released = new Set(options.ordinals);
  const { attributes, index } = internAttribute(block.attributes, {
    releasedAt: timestamp(options.nowMs),
  });
  const sequence = { ...block.sequenceNumberForAllocation };
  for (const ordinal of released) delete sequence[ordinal];
  return pruneAttributes({
    ...block,
    allocations: block.allocations.map((old, ordinal) => (released.has(ordinal) ? index : old)),
    attributes,
    sequenceNumberForAllocation: sequence,
  });
}

/** Moves ordinals whose cooldown is over to the tail of the queue, longest released first. */
export function collectReleased(
  block: BlockSpec,
  options: { readonly nowMs: number; readonly cooldownSeconds: number },
): BlockSpec {
  const due: { ordinal: number; releasedMs: number }[] = [];
  for (const [ordinal] of block.allocations.entries()) {
    const allocation = allocationAt(block, ordinal);
    if (allocation.kind !== "cooldown") continue;
    const releasedMs = Date.parse(allocation.releasedAt);
    // Text that is no time must not hold an address for ever.
    const waitedMs = Number.isNaN(releasedMs) ? Infinity : options.nowMs - releasedMs;
    if (options.cooldownSeconds === 0 || waitedMs >= options.cooldownSeconds * 1000) {
      due.push({ ordinal, releasedMs: Number.isNaN(releasedMs) ? 0 : releasedMs });
    }
  }
  if (due.length === 0) return block;
  due.sort((a, b) => a.releasedMs - b.releasedMs || a.ordinal - b.ordinal);
  const freed = new Set(due.map((entry) => entry.ordinal));
  return pruneAttributes({
    ...block,
    allocations: block.allocations.map((old, ordinal) => (freed.has(ordinal) ? null : old)),
    unallocated: [...block.unallocated, ...freed],
  });
}

function internAttribute(
  attributes: readonly Attribute[],
  wanted: Attribute,
): { attributes: Attribute[]; index: number } {
  const text = attributeText(wanted);
  const index = attributes.findIndex((attribute) => attributeText(attribute) === text);
  if (index >= 0) return { attributes: [...attributes], index };
  return { attributes: [...attributes, wanted], index: attributes.length };
}

/** Equal for equal attributes: absent, null and empty are the same, and keys have no order. */
function attributeText(attribute: Attribute): string {
  const sorted = (map: Attributes | null | undefined) =>
    Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([
    attribute.handle_id ?? "",
    sorted(attribute.secondary),
    sorted(attribute.alternateOwnerAttrs),
    attribute.releasedAt ?? "",
  ]);
}

/** Drops attributes nothing refers to. */
function pruneAttributes(block: BlockSpec): BlockSpec {
  const used = new Set(block.allocations);
  const renumbered = new Map<number, number>();
  const attributes = block.attributes.filter((_, index) => {
    if (!used.has(index)) return false;
    renumbered.set(index, renumbered.size);
    return true;
  });
  return {
    ...block,
    attributes,
    allocations: block.allocations.map((index) =>
      index === null ? null : (renumbered.get(index) ?? null),
    ),
  };
}
