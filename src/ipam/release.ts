/**
 * Giving addresses back. The block is written first and the handle's count lowered after it: a crash
 * in between leaves a count too high, which {@link releaseHandle} sets right.
 */

import {
  formatAddress,
  formatPrefix,
  type IpAddress,
  type Prefix,
  parsePrefix,
  SwitchyardError,
} from "../lib/index.ts";
import { type Block, readBlock, releaseBlock } from "./affinity.ts";
import {
  type Allocation,
  allocationAt,
  collectReleased,
  isEmptyBlock,
  ordinalOfAddress,
  ordinalsOfHandle,
  releaseOrdinals,
  withNextSequenceNumber,
} from "./block.ts";
import { blockOf } from "./block-order.ts";
import type { IpamContext } from "./context.ts";
import { listBlocks } from "./find-block.ts";
import { decrementHandle, readHandle, setHandleCount } from "./handles.ts";
import { cleanHandle, hostOfAffinity } from "./names.ts";
import { type IpamPool, poolOf } from "./pools.ts";
import { nodeLabels, readPools } from "./read-pools.ts";
import { again, deleteRecord, done, retryRaces, unlessRace, updateRecord } from "./records.ts";
import { selects } from "./selects.ts";
import { type IpamSettings, readSettings } from "./settings.ts";

export interface ReleaseRequest {
  readonly address: IpAddress;
  /** Release only if it belongs to this handle. */
  readonly handle?: string;
  /** Release only this allocation of the address, not a later one. */
  readonly sequenceNumber?: bigint;
}

/** Resolves to the addresses that were not allocated. One bad request fails its whole block. */
export async function releaseAddresses(
  context: IpamContext,
  requests: readonly ReleaseRequest[],
): Promise<IpAddress[]> {
  if (requests.length === 0) return [];
  const pools = await readPools(context);
  const settings = await readSettings(context.store);
  const { groups, outside } = await groupByBlock(context, { requests, pools });
  const results = await Promise.allSettled(
    [...groups.values()].map(({ cidr, requests }) =>
      releaseInBlock(context, { cidr, requests, settings, pools }),
    ),
  );
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  const unallocated = results.flatMap((result) =>
    result.status === "fulfilled" ? result.value : [],
  );
  return [...outside, ...unallocated];
}

interface Group {
  readonly cidr: Prefix;
  readonly requests: ReleaseRequest[];
}

async function groupByBlock(
  context: IpamContext,
  options: { readonly requests: readonly ReleaseRequest[]; readonly pools: readonly IpamPool[] },
): Promise<{ groups: Map<string, Group>; outside: IpAddress[] }> {
  const groups = new Map<string, Group>();
  const outside: IpAddress[] = [];
  let blocks: Awaited<ReturnType<typeof listBlocks>> | undefined;
  for (const request of options.requests) {
    const pool = poolOf(options.pools, request.address);
    let cidr = pool && blockOf(pool.blockSize, request.address);
    if (cidr === undefined) {
      blocks ??= await listBlocks(context);
      cidr = blocks.longestMatch(request.address)?.prefix;
    }
    if (cidr === undefined) {
      outside.push(request.address);
      continue;
    }
    const key = formatPrefix(cidr);
    const group = groups.get(key) ?? { cidr, requests: [] };
    group.requests.push(request);
    groups.set(key, group);
  }
  return { groups, outside };
}

interface Surroundings {
  readonly settings: IpamSettings;
  readonly pools: readonly IpamPool[];
}

async function releaseInBlock(
  context: IpamContext,
  options: Group & Surroundings,
): Promise<IpAddress[]> {
  const { cidr, requests } = options;
  const what = `release addresses of block ${formatPrefix(cidr)}`;
  const { counts, unallocated } = await retryRaces(what, async () => {
    const block = await readBlock(context, cidr);
    const ordinals = new Set<number>();
    const counts = new Map<string, number>();
    const unallocated: IpAddress[] = [];
    for (const request of requests) {
      const ordinal = block && ordinalOfAddress(block.spec, request.address);
      const allocation = block && ordinal !== undefined && allocationAt(block.spec, ordinal);
      if (!allocation || ordinal === undefined || allocation.kind !== "allocated") {
        unallocated.push(request.address);
        continue;
      }
      checkOwner(request, allocation);
      if (ordinals.has(ordinal)) continue;
      ordinals.add(ordinal);
      const { handle } = allocation;
      if (handle !== undefined) counts.set(handle, (counts.get(handle) ?? 0) + 1);
    }
    if (block === undefined || ordinals.size === 0) return done({ counts, unallocated });
    const written = await writeRelease(context, { ...options, block, ordinals: [...ordinals] });
    return written ? done({ counts, unallocated }) : again;
  });
  for (const [handle, count] of counts) {
    await decrementHandle(context.store, { handle, block: formatPrefix(cidr), count });
  }
  await letGoIfUnwanted(context, { ...options, cidr });
  return unallocated;
}

function checkOwner(
  request: ReleaseRequest,
  allocation: Extract<Allocation, { kind: "allocated" }>,
): void {
  const { sequenceNumber, handle } = allocation;
  if (request.sequenceNumber !== undefined && request.sequenceNumber !== sequenceNumber) {
    throw badRelease("sequence number", request, [request.sequenceNumber, sequenceNumber]);
  }
  const wanted = request.handle === undefined ? undefined : cleanHandle(request.handle);
  if (wanted !== undefined && wanted !== handle) {
    throw badRelease("handle", request, [wanted, handle ?? ""]);
  }
}

function badRelease(
  what: string,
  request: ReleaseRequest,
  [given, expected]: readonly [string | bigint, string | bigint],
): SwitchyardError {
  return new SwitchyardError(
    "RESOURCE_CONFLICT",
    `the given ${what} (${given}) does not match (${expected}) when attempting to release IP`,
    { details: { address: formatAddress(request.address) } },
  );
}

/** False if the block has changed meanwhile. A block that nobody owns goes with its last address. */
async function writeRelease(
  context: IpamContext,
  options: Surroundings & { readonly block: Block; readonly ordinals: readonly number[] },
): Promise<boolean> {
  const { block, ordinals, settings } = options;
  const nowMs = context.clock.now();
  const released =
    ordinals.length === 0 ? block.spec : releaseOrdinals(block.spec, { ordinals, nowMs });
  const next = collectReleased(released, { nowMs, cooldownSeconds: settings.cooldownSeconds });
  const write =
    !next.affinity && isEmptyBlock(next)
      ? deleteRecord(context.store, block)
      : updateRecord(context.store, block, withNextSequenceNumber(next));
  return (await unlessRace<unknown>(write)) !== undefined;
}

/** A host keeps its empty blocks, but not in a pool that does not serve it any more. */
async function letGoIfUnwanted(
  context: IpamContext,
  options: Surroundings & { readonly cidr: Prefix },
): Promise<void> {
  const { cidr, pools } = options;
  const pool = poolOf(pools, cidr.address);
  if (pool === undefined) return;
  const block = await readBlock(context, cidr);
  const node = hostOfAffinity(block?.spec.affinity);
  if (block === undefined || node === undefined || !isEmptyBlock(block.spec)) return;
  const labels = await nodeLabels(context, { node, pools: [pool] });
  if (!selects(pool.nodeSelector, labels)) {
    await releaseBlock(context, { node, cidr, requireEmpty: true });
  }
}

/** Releases all that a handle has. @throws RESOURCE_NOT_FOUND if there is no such handle. */
export async function releaseHandle(context: IpamContext, handleText: string): Promise<void> {
  const handle = cleanHandle(handleText);
  const record = await readHandle(context.store, handle);
  if (record === undefined) {
    throw new SwitchyardError(
      "RESOURCE_NOT_FOUND",
      `resource does not exist: IPAMHandleKey(id=${handle}) with error: <nil>`,
    );
  }
  const surroundings = {
    settings: await readSettings(context.store),
    pools: await readPools(context),
  };
  for (const block of Object.keys(record.spec.block)) {
    await releaseHandleInBlock(context, { ...surroundings, handle, block });
  }
}

/**
 * Releases a handle's addresses in one block and strikes the block from the handle.
 *
 * The count may be too high after a crash, so it is set to nothing rather than lowered. That is safe
 * against an allocation under way, because the block is rewritten between reading the handle and
 * writing it: whoever counted before our read cannot write the block any more and counts anew; whoever
 * counts after it makes our write of the handle fail.
 */
async function releaseHandleInBlock(
  context: IpamContext,
  options: Surroundings & { readonly handle: string; readonly block: string },
): Promise<void> {
  const { handle } = options;
  const cidr = parsePrefix(options.block);
  await retryRaces(`release handle ${handle} in block ${options.block}`, async () => {
    const record = await readHandle(context.store, handle);
    if (record?.spec.block[options.block] === undefined) return done(undefined);
    const block = cidr && (await readBlock(context, cidr));
    if (block !== undefined) {
      const ordinals = ordinalsOfHandle(block.spec, handle);
      if (!(await writeRelease(context, { ...options, block, ordinals }))) return again;
    }
    const struck = await setHandleCount(context.store, { record, block: options.block, count: 0 });
    return struck ? done(undefined) : again;
  });
  if (cidr !== undefined) await letGoIfUnwanted(context, { ...options, cidr });
}
