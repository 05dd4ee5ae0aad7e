/** Who has an address, and which addresses a handle has. */

import { type IpAddress, parsePrefix } from "../lib/index.ts";
import { readBlock } from "./affinity.ts";
import {
  type Allocation,
  addressOfOrdinal,
  allocationAt,
  ordinalOfAddress,
  ordinalsOfHandle,
} from "./block.ts";
import { blockOf } from "./block-order.ts";
import type { IpamContext } from "./context.ts";
import { listBlocks } from "./find-block.ts";
import { readHandle } from "./handles.ts";
import { cleanHandle } from "./names.ts";
import { poolOf } from "./pools.ts";
import { readPools } from "./read-pools.ts";

export async function allocationOf(context: IpamContext, address: IpAddress): Promise<Allocation> {
  const pool = poolOf(await readPools(context), address);
  const block = pool
    ? await readBlock(context, blockOf(pool.blockSize, address))
    : (await listBlocks(context)).longestMatch(address)?.value;
  const ordinal = block && ordinalOfAddress(block.spec, address);
  if (block === undefined || ordinal === undefined) return { kind: "free" };
  return allocationAt(block.spec, ordinal);
}

/** Empty if there is no such handle. */
export async function addressesOfHandle(
  context: IpamContext,
  handleText: string,
): Promise<IpAddress[]> {
  const handle = cleanHandle(handleText);
  const record = await readHandle(context.store, handle);
  const addresses: IpAddress[] = [];
  for (const text of Object.keys(record?.spec.block ?? {})) {
    const cidr = parsePrefix(text);
    const block = cidr && (await readBlock(context, cidr));
    if (block === undefined) continue;
    for (const ordinal of ordinalsOfHandle(block.spec, handle)) {
      addresses.push(addressOfOrdinal(block.spec, ordinal));
    }
  }
  return addresses;
}
