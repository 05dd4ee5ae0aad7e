/** Allocation in one block: handle first, then block, and the handle undone if the block refused. */

import { formatPrefix, type IpAddress, type Prefix } from "../lib/index.ts";
import { type Block, readBlock } from "./affinity.ts";
import {
  addressOfOrdinal,
  allocateFree,
  type BlockSpec,
  collectReleased,
  type Owner,
  withNextSequenceNumber,
} from "./block.ts";
import type { IpamContext } from "./context.ts";
import { decrementHandle, incrementHandle } from "./handles.ts";
import { again, done, isRefused, retryRaces, unlessRace, updateRecord } from "./records.ts";
import type { IpamSettings } from "./settings.ts";

export interface BlockAllocation extends Owner {
  readonly cidr: Prefix;
  readonly count: number;
  readonly settings: IpamSettings;
  /** The block as it was just read, if it was. */
  readonly block?: Block;
  /** Take nothing if the block's affinity is another. */
  readonly affinity?: string;
}

/** Takes up to `count` free addresses of one block; fewer, or none, if it has no more. */
export function allocateInBlock(
  context: IpamContext,
  request: BlockAllocation,
): Promise<IpAddress[]> {
  let known = request.block;
  return retryRaces(`allocate in block ${formatPrefix(request.cidr)}`, async () => {
    const block = known ?? (await readBlock(context, request.cidr));
    known = undefined;
    if (block === undefined) return done([]);
    if (request.affinity !== undefined && block.spec.affinity !== request.affinity) return done([]);
    const { cooldownSeconds } = request.settings;
    const collected = collectReleased(block.spec, { nowMs: context.clock.now(), cooldownSeconds });
    const { block: next, ordinals } = allocateFree(collected, request);
    if (ordinals.length === 0) return done([]);
    const { handle } = request;
    const written = await writeAllocation(context, { block, next, handle, count: ordinals.length });
    return written ? done(ordinals.map((ordinal) => addressOfOrdinal(next, ordinal))) : again;
  });
}

/** Counts and writes an allocation. False: the block has changed meanwhile and nothing is counted. */
export async function writeAllocation(
  context: IpamContext,
  write: {
    readonly block: Block;
    readonly next: BlockSpec;
    readonly handle: string;
    readonly count: number;
  },
): Promise<boolean> {
  const { store } = context;
  const change = { handle: write.handle, block: write.block.spec.cidr, count: write.count };
  await incrementHandle(store, change);
  try {
    const update = updateRecord(store, write.block, withNextSequenceNumber(write.next));
    if ((await unlessRace(update)) !== undefined) return true;
  } catch (error) {
    // When nobody knows whether the block was written, a count too high is the safe side.
    if (isRefused(error)) await decrementHandle(store, change);
    throw error;
  }
  await decrementHandle(store, change);
  return false;
}
