import assert from "node:assert/strict";
import { test } from "node:test";
import { clusterView, nodeResource } from "../testing.ts";
import { foreignPeers } from "./sessions.ts";

test("a guard looks at routers, not at nodes with an agent, nor at pods", () => {
  const peers = [
    { address: "172.139.20.76", type: "node-to-node mesh" },
    { address: "172.139.30.75", type: "node-to-node mesh" },
    { address: "172.139.20.1", type: "node specific" },
    { address: "10.244.1.5", type: "local workload" },
  ] as const;
  const nodeModes = [
    { apiVersion: "switchyard.io/v1", kind: "NodeMode", metadata: { name: "node2" }, spec: {} },
  ] as const;
  const nodes = [
    nodeResource("node2", "172.139.20.76/24"),
    nodeResource("node3", "172.139.30.75/24"),
  ];
  const seen = peers.map((peer) => ({ ...peer, up: true, info: "Established" }));
  assert.deepEqual(
    foreignPeers(seen, clusterView({ nodes, nodeModes })).map(({ address }) => address),
    ["172.139.30.75", "172.139.20.1"],
  );
});
