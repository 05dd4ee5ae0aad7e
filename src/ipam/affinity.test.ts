/** What release of a block answers. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { prefix } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import { claimBlock, releaseBlock } from "./affinity.ts";
import { put, world } from "./ipam.test-support.ts";

test("release of a block says what became of it", async () => {
  const { store, clock, ipam } = await world([{ cidr: "10.0.0.0/30", blockSize: 30 }]);
  const context = { store, clock, random: () => 0.5, log: silentLog, lastBlocks: new Map() };
  const cidr = prefix("10.0.0.0/30");
  const release = { node: "a", cidr, requireEmpty: true };
  assert.equal(await releaseBlock(context, release), "absent");

  const block = await claimBlock(context, { node: "a", cidr });
  const sequenceNumber = BigInt(block!.spec.sequenceNumber);
  const stale = { ...release, sequenceNumber: sequenceNumber - 1n };
  assert.equal(await releaseBlock(context, stale), "changed");
  assert.equal((await store.list("BlockAffinity")).items[0]!.spec.state, "confirmed");

  const spec = { state: "confirmed" as const, node: "b", cidr: "10.0.0.0/30" };
  await put(store, "BlockAffinity", { name: "b-10-0-0-0-30", spec });
  assert.equal(await releaseBlock(context, { ...release, node: "b" }), "foreign");
  assert.equal((await store.list("BlockAffinity")).items.length, 1, "the stale one is gone");

  await ipam.autoAssign({ count: 1, handle: "p", attributes: {}, node: "a", use: "Workload" });
  assert.equal(await releaseBlock(context, release), "notEmpty");
  await ipam.releaseByHandle("p");
  assert.equal(await releaseBlock(context, release), "released");
});
