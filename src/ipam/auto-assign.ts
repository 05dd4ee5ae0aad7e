/**
 * Addresses for whoever asks, from the host's own blocks first, then from new ones, then borrowed.
 */

import {
  type Family,
  formatPrefix,
  type IpAddress,
  type Prefix,
  prefixCovers,
  prefixFamily,
  SwitchyardError,
} from "../lib/index.ts";
import type { Labels } from "../model/index.ts";
import { blockCidr, claimBlock, listHostBlocks, readOwnBlock, releaseBlock } from "./affinity.ts";
import { allocateInBlock } from "./allocate.ts";
import type { Attributes } from "./block.ts";
import type { IpamContext } from "./context.ts";
import { claimUsableBlock, existingBlocks, formatPools, listBlocks } from "./find-block.ts";
import { cleanHandle, hostAffinity } from "./names.ts";
import { type IpamPool, poolOf, poolsForRequest, type Use } from "./pools.ts";
import { nodeLabels, readPools } from "./read-pools.ts";
import { releaseAddresses } from "./release.ts";
import { selects } from "./selects.ts";
import { blockLimit, readSettings } from "./settings.ts";

export interface AutoAssignRequest {
  readonly count: number;
  readonly handle: string;
  readonly attributes: Attributes;
  readonly node: string;
  readonly use: Use;
  /** 4 unless told. */
  readonly family?: Family;
  /** Only from pools with exactly these CIDRs, in this order, whatever they select. */
  readonly pools?: readonly Prefix[];
  /** Blocks the host may own; the smaller of this and the configured limit holds. */
  readonly maxBlocksPerHost?: number;
  /** Labels of the pod's namespace; none unless told. */
  readonly namespaceLabels?: Labels;
}

export interface AutoAssignResult {
  /** Fewer than asked for when the pools have no more. */
  readonly addresses: IpAddress[];
  /** Why there are fewer. */
  readonly messages: string[];
}

export async function autoAssign(
  context: IpamContext,
  request: AutoAssignRequest,
): Promise<AutoAssignResult> {
  const { node, count, family = 4 } = request;
  const settings = await readSettings(context.store);
  const allPools = await readPools(context);
  const labels = await nodeLabels(context, { node, pools: allPools });
  const pools = poolsForRequest(allPools, {
    ...request,
    family,
    nodeLabels: labels,
    namespaceLabels: request.namespaceLabels ?? {},
    requested: request.pools ?? [],
  });
  const owner = { handle: cleanHandle(request.handle), attributes: request.attributes };
  const affinity = hostAffinity(node);
  const addresses: IpAddress[] = [];
  const missing = () => count - addresses.length;
  const messages: string[] = [];
  const hint = `${node} ${family}`;

  const last = context.lastBlocks.get(hint);
  if (last !== undefined && pools.some((pool) => prefixCovers(pool.cidr, last))) {
    const block = await readOwnBlock(context, { node, cidr: last });
    if (block !== undefined) {
      const wanted = { ...owner, cidr: last, count, settings, block, affinity };
      addresses.push(...(await allocateInBlock(context, wanted)));
    }
    if (missing() <= 0) return { addresses, messages };
  }

  const own = await ownBlocks(context, { node, family, pools, allPools, labels });
  const owned = new Set<string>();
  for (const cidr of own) {
    // Owned blocks count against the limit even when they are not needed.
    owned.add(formatPrefix(cidr));
    if (missing() <= 0) continue;
    const block = await claimBlock(context, { node, cidr });
    if (block === undefined) owned.delete(formatPrefix(cidr));
    else {
      const wanted = { ...owner, cidr, count: missing(), settings, block, affinity };
      addresses.push(...(await allocateInBlock(context, wanted)));
      context.lastBlocks.set(hint, cidr);
    }
  }

  while (missing() > 0) {
    const refusal =
      owned.size >= blockLimit(settings, request.maxBlocksPerHost)
        ? new SwitchyardError(
            "IPAM_BLOCK_LIMIT",
            `cannot allocate new block due to per host block limit: node ${node} has ${owned.size}`,
          )
        : !settings.autoAllocateBlocks
          ? new SwitchyardError(
              "IPAM_EXHAUSTED",
              `failed to find or claim a block for node ${node}: its blocks are full and autoAllocateBlocks is off`,
            )
          : undefined;
    if (refusal !== undefined) {
      // The caller gets an error, not addresses: none may stay behind.
      await releaseAddresses(
        context,
        addresses.map((address) => ({ address, ...owner })),
      );
      throw refusal;
    }
    const block = await claimUsableBlock(context, { node, pools });
    if (block === undefined) break;
    const cidr = blockCidr(block);
    owned.add(formatPrefix(cidr));
    const wanted = { ...owner, cidr, count: missing(), settings, block, affinity };
    addresses.push(...(await allocateInBlock(context, wanted)));
    context.lastBlocks.set(hint, cidr);
  }

  if (missing() > 0 && settings.strictAffinity) {
    messages.push(
      `No more free affine blocks for node ${node} and strict affinity is on: nothing is borrowed`,
    );
  } else if (missing() > 0) {
    const blocks = await listBlocks(context);
    for (const cidr of existingBlocks(context, { node, pools, blocks })) {
      if (missing() <= 0) break;
      const wanted = { ...owner, cidr, count: missing(), settings };
      const borrowed = await allocateInBlock(context, wanted);
      if (borrowed.length > 0) {
        context.log.info({ node, block: formatPrefix(cidr) }, "borrowed from a block of another");
      }
      addresses.push(...borrowed);
    }
  }
  if (missing() > 0) messages.push(`No IPs available in pools: ${formatPools(pools)}`);
  return { addresses, messages };
}

/** The host's blocks in the wanted pools. Those whose pool serves this node no more are let go. */
async function ownBlocks(
  context: IpamContext,
  options: {
    readonly node: string;
    readonly family: Family;
    readonly pools: readonly IpamPool[];
    readonly allPools: readonly IpamPool[];
    readonly labels: Labels;
  },
): Promise<Prefix[]> {
  const { node, family, pools, allPools, labels } = options;
  const own: Prefix[] = [];
  for (const { cidr } of await listHostBlocks(context, { node })) {
    if (prefixFamily(cidr) !== family) continue;
    if (pools.some((pool) => prefixCovers(pool.cidr, cidr))) {
      own.push(cidr);
      continue;
    }
    const pool = poolOf(allPools, cidr.address);
    if (pool !== undefined && !selects(pool.nodeSelector, labels)) {
      await releaseBlock(context, { node, cidr, requireEmpty: true });
    }
  }
  return own;
}
