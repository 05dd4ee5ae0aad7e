/**
 * Which host owns a block.
 *
 * Ownership is two objects: the block itself names its host, and a BlockAffinity per host and block
 * tells the rest of the cluster (routes are advertised for `confirmed` ones only). No store writes two
 * objects at once, so both directions go in steps, and each step is compare-and-swap:
 *
 *   claim:    affinity pending -> create block, or rewrite ours -> affinity confirmed
 *   release:  read both -> affinity pendingDeletion -> delete block, or take our name off -> delete affinity
 *
 * Invariant: a confirmed affinity has its block. A claimer rewrites a block even when nothing in it
 * changes, so that a releaser who read it before can no longer delete it; a releaser who read later has
 * an affinity that the claimer has changed since, or changes it under the claimer: one of them loses and
 * starts over. Whoever dies leaves `pending` or `pendingDeletion`, which the host's next claim completes.
 */

import {
  formatPrefix,
  type Prefix,
  parsePrefix,
  prefix,
  prefixCovers,
  SwitchyardError,
} from "../lib/index.ts";
import type { ResourceOf } from "../model/index.ts";
import { isEmptyBlock, newBlock, withNextSequenceNumber, withoutAffinity } from "./block.ts";
import type { IpamContext } from "./context.ts";
import { affinityName, cidrName, hostAffinity } from "./names.ts";
import {
  again,
  createRecord,
  deleteRecord,
  done,
  isDeleted,
  readRecord,
  retryRaces,
  unlessRace,
  updateRecord,
} from "./records.ts";

type Affinity = ResourceOf<"BlockAffinity">;
export type Block = ResourceOf<"IPAMBlock">;

export interface HostBlock {
  readonly node: string;
  readonly cidr: Prefix;
}

export function readBlock(context: IpamContext, cidr: Prefix): Promise<Block | undefined> {
  return readRecord(context.store, "IPAMBlock", cidrName(cidr));
}

function readAffinity(context: IpamContext, of: HostBlock): Promise<Affinity | undefined> {
  return readRecord(context.store, "BlockAffinity", affinityName(of.node, of.cidr));
}

/** The empty state is what old versions wrote for `confirmed`. */
function isConfirmed(affinity: Affinity): boolean {
  return affinity.spec.state === "confirmed" || affinity.spec.state === "";
}

function setState(
  context: IpamContext,
  affinity: Affinity,
  state: "confirmed" | "pending" | "pendingDeletion",
): Promise<Affinity | undefined> {
  return unlessRace(updateRecord(context.store, affinity, { ...affinity.spec, state }));
}

/** Makes the block this host's, confirmed. `undefined`: it is another's. */
export function claimBlock(context: IpamContext, claim: HostBlock): Promise<Block | undefined> {
  const { node, cidr } = claim;
  const { store, clock } = context;
  const owner = hostAffinity(node);
  return retryRaces(`claim block ${formatPrefix(cidr)} for node ${node}`, async () => {
    const affinity = await readAffinity(context, claim);
    const block = await readBlock(context, cidr);
    if (block !== undefined && block.spec.affinity !== owner) {
      if (affinity !== undefined) await unlessRace(deleteRecord(store, affinity));
      return done(undefined);
    }
    if (block !== undefined && affinity !== undefined && isConfirmed(affinity)) return done(block);

    const pending = affinity
      ? await setState(context, affinity, "pending")
      : await unlessRace(
          createRecord(store, "BlockAffinity", {
            name: affinityName(node, cidr),
            spec: {
              state: "pending",
              node,
              type: "host",
              cidr: formatPrefix(cidr),
              deleted: false,
            },
          }),
        );
    if (pending === undefined) return again;

    const written = await unlessRace(
      block
        ? updateRecord(store, block, withNextSequenceNumber(block.spec))
        : createRecord(store, "IPAMBlock", {
            name: cidrName(cidr),
            spec: newBlock({ cidr, affinity: owner, nowMs: clock.now() }),
          }),
    );
    if (written === undefined) return again;
    return (await setState(context, pending, "confirmed")) ? done(written) : again;
  });
}

/** The block, if it is this host's and that is confirmed. Claims nothing. */
export async function readOwnBlock(
  context: IpamContext,
  of: HostBlock,
): Promise<Block | undefined> {
  const affinity = await readAffinity(context, of);
  if (affinity === undefined || !isConfirmed(affinity)) return undefined;
  const block = await readBlock(context, of.cidr);
  return block?.spec.affinity === hostAffinity(of.node) ? block : undefined;
}

export type ReleaseOutcome =
  | "released"
  /** The host has no such affinity. */
  | "absent"
  /** The block was another host's; the stale affinity is gone. */
  | "foreign"
  /** Kept: addresses are in use. */
  | "notEmpty"
  /** Kept: the block is not the one that was seen. */
  | "changed";

export interface BlockRelease extends HostBlock {
  readonly requireEmpty: boolean;
  /** Release only if the block still has this sequence number. */
  readonly sequenceNumber?: bigint;
}

/** Gives a block up. Addresses in use stay allocated, in a block without owner. */
export function releaseBlock(context: IpamContext, release: BlockRelease): Promise<ReleaseOutcome> {
  const { node, cidr, requireEmpty, sequenceNumber } = release;
  const { store } = context;
  return retryRaces(`release block ${formatPrefix(cidr)} of node ${node}`, async () => {
    // The order of these reads is part of the protocol: see the head of this file.
    const affinity = await readAffinity(context, release);
    const block = await readBlock(context, cidr);
    if (affinity === undefined) return done("absent");
    if (block !== undefined && block.spec.affinity !== hostAffinity(node)) {
      return (await unlessRace(deleteRecord(store, affinity))) ? done("foreign") : again;
    }
    if (block !== undefined) {
      const refusal =
        requireEmpty && !isEmptyBlock(block.spec)
          ? "notEmpty"
          : sequenceNumber !== undefined && BigInt(block.spec.sequenceNumber) !== sequenceNumber
            ? "changed"
            : undefined;
      if (refusal !== undefined) {
        // The mark may be ours, from an attempt that lost its race; its host must not stay unrouted.
        if (affinity.spec.state === "pendingDeletion") await claimBlock(context, release);
        return done(refusal);
      }
    }
    const marked = await setState(context, affinity, "pendingDeletion");
    if (marked === undefined) return again;
    if (block !== undefined) {
      const gone = isEmptyBlock(block.spec)
        ? deleteRecord(store, block)
        : updateRecord(store, block, withNextSequenceNumber(withoutAffinity(block.spec)));
      if ((await unlessRace<unknown>(gone)) === undefined) return again;
    }
    return (await unlessRace(deleteRecord(store, marked))) ? done("released") : again;
  });
}

/** Blocks that hosts own or are about to own or give up, in listing order. */
export async function listHostBlocks(
  context: IpamContext,
  filter: { readonly node?: string; readonly within?: Prefix },
): Promise<HostBlock[]> {
  const { items } = await context.store.list("BlockAffinity");
  return items.flatMap((affinity) => {
    const { spec } = affinity;
    const cidr = parsePrefix(spec.cidr);
    if (cidr === undefined || isDeleted(affinity) || spec.type === "virtual") return [];
    if (filter.node !== undefined && spec.node !== filter.node) return [];
    if (filter.within !== undefined && !prefixCovers(filter.within, cidr)) return [];
    return [{ node: spec.node, cidr }];
  });
}

/** Releases many; @throws SwitchyardError naming the blocks that were kept. */
export async function releaseBlocks(
  context: IpamContext,
  options: { readonly blocks: readonly HostBlock[]; readonly requireEmpty: boolean },
): Promise<void> {
  const kept: string[] = [];
  for (const block of options.blocks) {
    const outcome = await releaseBlock(context, { ...block, requireEmpty: options.requireEmpty });
    if (outcome === "notEmpty") kept.push(formatPrefix(block.cidr));
  }
  if (kept.length > 0) {
    throw new SwitchyardError(
      "RESOURCE_CONFLICT",
      `release of block affinities: addresses are in use in ${kept.join(", ")}`,
      { details: { blocks: kept } },
    );
  }
}

export function blockCidr(block: Block): Prefix {
  return prefix(block.spec.cidr);
}
