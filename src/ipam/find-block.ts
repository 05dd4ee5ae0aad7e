/** Finding a block that a host can claim: a new one, its own, or one that another leaves empty. */

import { formatPrefix, hasCode, type Prefix, PrefixTrie, parsePrefix } from "../lib/index.ts";
import { type Block, blockCidr, claimBlock, readBlock, releaseBlock } from "./affinity.ts";
import { isEmptyBlock } from "./block.ts";
import { blockOrder, blocksInOrder, rankOf } from "./block-order.ts";
import type { IpamContext } from "./context.ts";
import { hostAffinity, hostOfAffinity } from "./names.ts";
import type { IpamPool } from "./pools.ts";
import { again, deleteRecord, done, isDeleted, retryRaces, unlessRace } from "./records.ts";

/** An empty block of another host is taken from it only when it is at least this old. */
const RECLAIM_AGE_MS = 60_000;

export interface BlockSearch {
  readonly node: string;
  readonly pools: readonly IpamPool[];
}

/** Blocks of the datastore by CIDR. One that cannot be read is left out. */
export async function listBlocks(context: IpamContext): Promise<PrefixTrie<Block>> {
  const { items } = await context.store.list("IPAMBlock");
  const blocks = new PrefixTrie<Block>();
  for (const block of items) {
    const cidr = parsePrefix(block.spec.cidr);
    if (cidr !== undefined && !isDeleted(block)) blocks.set(cidr, block);
  }
  return blocks;
}

/** Blocks looked at one by one before all are listed. */
const PROBES = 8;

/** Claims a block with room. `undefined`: there is none in these pools. */
export function claimUsableBlock(
  context: IpamContext,
  search: BlockSearch,
): Promise<Block | undefined> {
  return retryRaces(`find a block for node ${search.node}`, async () => {
    const near = await probe(context, search);
    if (near !== undefined) {
      const claimed = await claimBlock(context, { node: search.node, cidr: near });
      return claimed === undefined ? again : done(claimed);
    }
    const blocks = await listBlocks(context);
    const abandoned: Block[] = [];
    for (const pool of search.pools) {
      const cidr = candidateIn(context, { ...search, pool, blocks, abandoned });
      if (cidr === undefined) continue;
      const claimed = await claimBlock(context, { node: search.node, cidr });
      return claimed === undefined ? again : done(claimed);
    }
    for (const block of abandoned) {
      if (!(await takeBack(context, block))) continue;
      const claimed = await claimBlock(context, { node: search.node, cidr: blockCidr(block) });
      return claimed === undefined ? again : done(claimed);
    }
    return done(undefined);
  });
}

/**
 * What the listing would find, without reading every block of the cluster: most pools are far from
 * full, and a host's starting point is seldom taken.
 */
async function probe(context: IpamContext, search: BlockSearch): Promise<Prefix | undefined> {
  const pool = search.pools[0];
  if (pool === undefined) return undefined;
  let probes = 0;
  for (const cidr of blocksInOrder(orderOf(context, { node: search.node, pool }))) {
    if (probes++ === PROBES) break;
    const block = await readBlock(context, cidr);
    if (block === undefined) return cidr;
    const ours = block.spec.affinity === hostAffinity(search.node);
    if (ours && block.spec.unallocated.length > 0) return cidr;
  }
  return undefined;
}

/** The first block of the pool, in this host's order, that does not exist or is ours with room. */
function candidateIn(
  context: IpamContext,
  search: {
    readonly node: string;
    readonly pool: IpamPool;
    readonly blocks: PrefixTrie<Block>;
    /** Filled with empty blocks of others, met on the way. */
    readonly abandoned: Block[];
  },
): Prefix | undefined {
  const { node, pool, blocks, abandoned } = search;
  for (const cidr of blocksInOrder(orderOf(context, { node, pool }))) {
    const block = blocks.get(cidr);
    if (block === undefined) {
      // A block of another size may be in the way, from before the pool was made anew.
      if (blocks.covering(cidr).next().done && blocks.coveredBy(cidr).next().done) return cidr;
    } else if (block.spec.affinity === hostAffinity(node)) {
      if (block.spec.unallocated.length > 0) return cidr;
    } else if (block.spec.unallocated.length > 0 && isEmptyBlock(block.spec)) {
      abandoned.push(block);
    }
  }
  return undefined;
}

/** Removes an empty block of another host, or of none. */
async function takeBack(context: IpamContext, block: Block): Promise<boolean> {
  const { affinity, affinityClaimTime, sequenceNumber } = block.spec;
  if (!affinity) return (await unlessRace(deleteRecord(context.store, block))) !== undefined;
  const node = hostOfAffinity(affinity);
  const claimedMs = Date.parse(affinityClaimTime ?? "");
  // A block without a claim time is from before such times were kept: old.
  if (node === undefined || context.clock.now() - claimedMs < RECLAIM_AGE_MS) return false;
  try {
    const outcome = await releaseBlock(context, {
      node,
      cidr: blockCidr(block),
      requireEmpty: true,
      sequenceNumber: BigInt(sequenceNumber),
    });
    return outcome === "released";
  } catch (error) {
    if (!hasCode(error, "RESOURCE_CONFLICT")) throw error;
    context.log.debug({ block: block.spec.cidr, node }, "lost the race for an empty block");
    return false;
  }
}

/** Existing blocks of the pools, each pool's in this host's order. */
export function existingBlocks(
  context: IpamContext,
  search: BlockSearch & { readonly blocks: PrefixTrie<Block> },
): Prefix[] {
  return search.pools.flatMap((pool) => {
    const order = orderOf(context, { node: search.node, pool });
    return [...search.blocks.coveredBy(pool.cidr)]
      .map(({ prefix }) => ({ prefix, rank: rankOf(order, prefix) }))
      .sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : 0))
      .map(({ prefix }) => prefix);
  });
}

function orderOf(
  context: IpamContext,
  options: { readonly node: string; readonly pool: IpamPool },
) {
  const { cidr, blockSize } = options.pool;
  return blockOrder({ pool: cidr, blockSize, host: options.node, random: context.random });
}

export function formatPools(pools: readonly IpamPool[]): string {
  return `[${pools.map((pool) => formatPrefix(pool.cidr)).join(" ")}]`;
}
