/**
 * The order in which a host looks through the blocks of a pool: from a starting point of its own,
 * onwards and around. Hosts thus begin in different places and seldom race for one block.
 */

import { bitsOf, type IpAddress, maskAddress, type Prefix, prefixFamily } from "../lib/index.ts";

export interface BlockOrder {
  readonly pool: Prefix;
  /** Prefix length of a block. */
  readonly blockSize: number;
  /** Index of the first block to try. */
  readonly start: bigint;
}

export function blockOrder(options: {
  readonly pool: Prefix;
  readonly blockSize: number;
  readonly host: string;
  readonly random: () => number;
}): BlockOrder {
  const { pool, blockSize, host } = options;
  // Blocks of one address are claimed anew for every pod: a fixed start would walk over all that
  // the host has already.
  const single = blockSize === bitsOf(prefixFamily(pool));
  const seed = single ? BigInt(Math.floor(options.random() * 2 ** 32)) : BigInt(fnv32(host));
  return { pool, blockSize, start: seed % blockCount({ pool, blockSize }) };
}

function blockCount(order: { readonly pool: Prefix; readonly blockSize: number }): bigint {
  return 1n << BigInt(order.blockSize - order.pool.length);
}

/** Blocks in order, every one once. Take what is needed; IPv6 pools have more than can be listed. */
export function* blocksInOrder(order: BlockOrder): IterableIterator<Prefix> {
  const count = blockCount(order);
  const shift = BigInt(bitsOf(prefixFamily(order.pool)) - order.blockSize);
  const base = BigInt(maskAddress(order.pool.address, order.pool.length));
  for (let i = 0n; i < count; i++) {
    const value = base + (((order.start + i) % count) << shift);
    const address = (prefixFamily(order.pool) === 4 ? Number(value) : value) as IpAddress;
    yield { address, length: order.blockSize };
  }
}

/** Where in the order a block comes. */
export function rankOf(order: BlockOrder, block: Prefix): bigint {
  const shift = BigInt(bitsOf(prefixFamily(order.pool)) - order.blockSize);
  const base = BigInt(maskAddress(order.pool.address, order.pool.length));
  const count = blockCount(order);
  const index = (BigInt(block.address) - base) >> shift;
  return (index - order.start + count) % count;
}

/** The block of this pool that holds `address`. */
export function blockOf(blockSize: number, address: IpAddress): Prefix {
  return { address: maskAddress(address, blockSize), length: blockSize };
}

/** FNV-1, 32 bits. */
function fnv32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash, 0x01000193) ^ byte;
  return hash >>> 0;
}
