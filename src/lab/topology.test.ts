import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatAddress, prefixContains } from "../lib/index.ts";
import { defaultSize, drawTopology, layout, topologyOf } from "./topology.ts";

test("the default lab, drawn", () => {
  assert.deepEqual(drawTopology(topologyOf()), [
    "outside  198.51.100.10  (via 198.51.100.1)",
    "router   AS 65000, learns the pods' blocks by BGP",
    "172.139.20.0/24  on br20",
    "  node1  172.139.20.75  pod1a pod1b",
    "  node2  172.139.20.76  pod2a pod2b",
    "172.139.30.0/24  on br30",
    "  node3  172.139.30.75  pod3a pod3b",
    "  node4  172.139.30.76  pod4a pod4b",
  ]);
});

test("one node without pods needs one subnet only", () => {
  assert.deepEqual(drawTopology(topologyOf({ nodes: 1, podsPerNode: 0 })).slice(2), [
    "172.139.20.0/24  on br20",
    "  node1  172.139.20.75",
  ]);
});

for (const [size, message] of [
  [{ nodes: 0 }, "the number of nodes of a lab is from 1 to 64, not 0"],
  [{ nodes: 65 }, "the number of nodes of a lab is from 1 to 64, not 65"],
  [{ nodes: 1.5 }, "the number of nodes of a lab is from 1 to 64, not 1.5"],
  [{ podsPerNode: 27 }, "the number of pods per node of a lab is from 0 to 26, not 27"],
  [{ podsPerNode: Number.NaN }, "the number of pods per node of a lab is from 0 to 26, not NaN"],
] as const) {
  test(`refused: ${JSON.stringify(size)}`, () => {
    assert.throws(() => topologyOf(size), { code: "INVALID_ARGUMENT", message });
  });
}

test("every size: names and addresses are unique, each node is inside its subnet and no router", () => {
  const sizes = fc.record({
    nodes: fc.integer({ min: 1, max: 64 }),
    podsPerNode: fc.integer({ min: 0, max: 26 }),
  });
  fc.assert(
    fc.property(sizes, (size) => {
      const topology = topologyOf(size);
      assert.equal(topology.nodes.length, size.nodes);
      assert.equal(topology.pods.length, size.nodes * size.podsPerNode);
      const names = [...topology.nodes, ...topology.pods].map(({ name }) => name);
      assert.equal(new Set([...names, "router", "outside"]).size, names.length + 2);
      assert.equal(new Set(topology.nodes.map((node) => node.address)).size, size.nodes);
      for (const node of topology.nodes) {
        assert.ok(prefixContains(node.subnet.prefix, node.address), formatAddress(node.address));
        assert.notEqual(node.address, node.subnet.router);
        // Interface names are the nodes' names in the router's namespace: IFNAMSIZ less the NUL.
        assert.ok(node.name.length <= 15);
      }
      for (const pod of topology.pods) assert.ok(names.includes(pod.node));
    }),
  );
});

test("node numbers do not depend on the number of pods", () => {
  assert.deepEqual(topologyOf({ podsPerNode: 9 }).nodes, topologyOf(defaultSize).nodes);
  assert.equal(layout.subnets.length, 2);
});
