import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatPrefix } from "../lib/index.ts";
import type { IPAMBlock } from "../model/index.ts";
import type { BlockFacts } from "../plan/index.ts";
import { BorrowedAddresses, borrowedOf } from "./borrowed.ts";

function block(
  nodes: readonly (string | undefined)[],
  spec: Partial<IPAMBlock["spec"]> = {},
): IPAMBlock {
  return {
    apiVersion: "projectcalico.org/v3",
    kind: "IPAMBlock",
    metadata: { name: "10-244-1-0-26" },
    spec: {
      cidr: "10.244.1.0/26",
      affinity: "host:node1",
      allocations: nodes.map((node, ordinal) => (node === undefined ? null : ordinal)),
      unallocated: [],
      attributes: nodes.map((node) => ({ handle_id: "h", secondary: { node: node ?? "" } })),
      sequenceNumber: 1n,
      ...spec,
    },
  };
}

const lines = (found: readonly BlockFacts[]) =>
  found.map(({ prefix, node }) => `${formatPrefix(prefix)} ${node}`);

describe("borrowed addresses", () => {
  const cases: [string, IPAMBlock, string[]][] = [
    ["all of the own node", block(["node1", undefined, "node1"]), []],
    ["one of another", block(["node1", "node2"]), ["10.244.1.1/32 node2"]],
    ["without a node", block(["node1", ""]), []],
    [
      "a block that nobody owns",
      block(["node1", "node2"], { affinity: null }),
      ["10.244.1.0/32 node1", "10.244.1.1/32 node2"],
    ],
    [
      "a virtual owner",
      block(["node1"], { affinity: "virtual:load-balancer" }),
      ["10.244.1.0/32 node1"],
    ],
    [
      "cooling down",
      block(["node2"], {
        attributes: [{ releasedAt: "2026-01-01T00:00:00Z", secondary: { node: "node2" } }],
      }),
      [],
    ],
    ["IPv6", block(["node2"], { cidr: "fd00:244::100/122" }), ["fd00:244::100/128 node2"]],
    ["a bad CIDR", block(["node2"], { cidr: "nonsense" }), []],
  ];
  for (const [name, resource, expected] of cases) {
    it(name, () => assert.deepEqual(lines(borrowedOf(resource)), expected));
  }

  it("tells of a change only when one is borrowed or given back", () => {
    const index = new BorrowedAddresses();
    const change = (type: "added" | "modified" | "deleted", nodes: string[]) =>
      index.update([{ type, key: "b", resource: block(nodes) }]);
    assert.equal(change("added", ["node1"]), false);
    assert.equal(change("modified", ["node1", "node2"]), true);
    assert.equal(change("modified", ["node1", "node2", "node1"]), false);
    assert.equal(change("deleted", ["node1", "node2"]), true);
    assert.deepEqual(index.all(), []);
  });

  it("holds what a reading of all blocks would find, after any changes", () => {
    const nodes = fc.array(fc.constantFrom("node1", "node2", undefined), { maxLength: 5 });
    const change = fc.record({ key: fc.constantFrom("a", "b", "c"), nodes, gone: fc.boolean() });
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const index = new BorrowedAddresses();
        const blocks = new Map<string, IPAMBlock>();
        for (const { key, nodes, gone } of changes) {
          const before = lines(index.all()).sort().join();
          const resource = block(nodes);
          if (gone) blocks.delete(key);
          else blocks.set(key, resource);
          const told = index.update([{ type: gone ? "deleted" : "modified", key, resource }]);
          assert.ok(told || lines(index.all()).sort().join() === before);
        }
        const whole = [...blocks.values()].flatMap((resource) => lines(borrowedOf(resource)));
        assert.deepEqual(lines(index.all()).sort(), whole.sort());
      }),
      { numRuns: 200 },
    );
  });
});
