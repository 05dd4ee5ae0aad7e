import assert from "node:assert/strict";
import { test } from "node:test";
import type { CollectionChange } from "../datastore/index.ts";
import { formatPrefix, prefix } from "../lib/index.ts";
import type { BlockAffinity } from "../model/index.ts";
import { AffinityBlocks } from "./affinity-blocks.ts";
import { affinityResource } from "./testing.ts";

const CIDR = "10.244.1.0/26";

function change(
  type: CollectionChange<"BlockAffinity">["type"],
  resource: BlockAffinity,
): CollectionChange<"BlockAffinity"> {
  return { type, key: resource.metadata.name, resource };
}

function pending(affinity: BlockAffinity): BlockAffinity {
  return { ...affinity, spec: { ...affinity.spec, state: "pending" } };
}

test("a block counts while its affinity is confirmed, and moves from node to node", () => {
  const blocks = new AffinityBlocks();
  const nodes = () => blocks.at(prefix(CIDR)).map(({ node }) => node);
  const told = (...changes: CollectionChange<"BlockAffinity">[]) =>
    blocks.update(changes)?.map((one) => `${formatPrefix(one.prefix)} ${one.nodes.join(" ")}`);
  const [first, second] = [affinityResource("node1", CIDR), affinityResource("node2", CIDR)];
  assert.deepEqual(told(change("added", pending(first))), []);
  assert.deepEqual(nodes(), []);
  assert.deepEqual(told(change("modified", first)), [`${CIDR} node1`]);
  assert.deepEqual(told(change("added", second)), [`${CIDR} node2`]);
  assert.deepEqual(nodes(), ["node1", "node2"]);
  assert.deepEqual(told(change("deleted", first), change("modified", pending(second))), [
    `${CIDR} node1`,
    `${CIDR} node2`,
  ]);
  assert.deepEqual(nodes(), []);
});

test("an affinity that cannot be used asks for everything to be looked at", () => {
  const blocks = new AffinityBlocks();
  const good = affinityResource("node1", CIDR);
  const bad = { ...good, metadata: { name: "bad" }, spec: { ...good.spec, cidr: "nonsense" } };
  assert.equal(blocks.update([change("added", bad), change("added", good)]), undefined);
  assert.equal(blocks.at(prefix(CIDR)).length, 1, "the good one is known all the same");
  assert.deepEqual(blocks.update([change("deleted", bad)]), []);
});
