/** Every block once, from a starting point that depends on the host. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatAddress, formatPrefix, ipAddress, prefix, prefixCovers } from "../lib/index.ts";
import { blockOf, blockOrder, blocksInOrder, rankOf } from "./block-order.ts";

const random = () => 0.5;

test("all blocks of the pool, each once, ranked as they come", () => {
  const pools = fc.constantFrom(
    { pool: prefix("10.0.0.0/24"), blockSize: 28 },
    { pool: prefix("255.255.255.0/24"), blockSize: 26 },
    { pool: prefix("10.0.0.0/26"), blockSize: 26 },
    { pool: prefix("10.0.0.0/28"), blockSize: 32 },
    { pool: prefix("fd00::/116"), blockSize: 122 },
  );
  fc.assert(
    fc.property(pools, fc.string(), ({ pool, blockSize }, host) => {
      const order = blockOrder({ pool, blockSize, host, random });
      const blocks = [...blocksInOrder(order)];
      assert.equal(new Set(blocks.map(formatPrefix)).size, 2 ** (blockSize - pool.length));
      for (const [rank, block] of blocks.entries()) {
        assert.ok(prefixCovers(pool, block));
        assert.equal(block.length, blockSize);
        assert.equal(rankOf(order, block), BigInt(rank));
      }
    }),
  );
});

test("hosts start in different places, the same host in the same", () => {
  const first = (host: string) => {
    const order = blockOrder({ pool: prefix("10.0.0.0/8"), blockSize: 26, host, random });
    return formatPrefix(blocksInOrder(order).next().value!);
  };
  const starts = new Set(Array.from({ length: 100 }, (_, index) => first(`node-${index}`)));
  assert.ok(starts.size > 95, `${starts.size} of 100`);
  assert.equal(first("node-1"), first("node-1"));
});

test("blocks of one address start at random", () => {
  const start = (value: number) =>
    blockOrder({ pool: prefix("10.0.0.0/8"), blockSize: 32, host: "a", random: () => value }).start;
  assert.notEqual(start(0.1), start(0.9));
});

test("a pool with more blocks than can be listed still gives the first", () => {
  const order = blockOrder({ pool: prefix("fd00::/48"), blockSize: 122, host: "a", random });
  assert.ok(prefixCovers(prefix("fd00::/48"), blocksInOrder(order).next().value!));
});

test("the block of an address", () => {
  assert.equal(formatPrefix(blockOf(26, ipAddress("10.0.0.77"))), "10.0.0.64/26");
  assert.equal(formatAddress(blockOf(122, ipAddress("fd00::7f")).address), "fd00::40");
});
