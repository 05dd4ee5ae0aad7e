import assert from "node:assert/strict";
import { test } from "node:test";
import type { IPPool, Node, NodeMode, NodeModeStatus } from "../model/index.ts";
import { modeStatus } from "./status.ts";

const node = (name: string): Node => ({
  apiVersion: "projectcalico.org/v3",
  kind: "Node",
  metadata: { name },
  spec: {},
});
const pool: IPPool = {
  apiVersion: "projectcalico.org/v3",
  kind: "IPPool",
  metadata: { name: "pods", resourceVersion: "7" },
  spec: { cidr: "10.244.0.0/16", ipipMode: "CrossSubnet" },
};
const mode = (name: string, progress: Partial<NodeModeStatus["pools"][string]> = {}): NodeMode => ({
  apiVersion: "switchyard.io/v1",
  kind: "NodeMode",
  metadata: { name },
  spec: {},
  status: {
    accepts: ["none", "ipip"],
    sends: ["none", "ipip"],
    destinations: { none: 1, ipip: 2 },
    pools: {
      pods: {
        mode: "IPIPCrossSubnet",
        resourceVersion: "7",
        realised: true,
        waiting: [],
        ...progress,
      },
    },
    failures: [],
    agentVersion: "test",
    updatedAt: "2026-01-01T00:00:00Z",
  },
});

const cases: { name: string; modes: NodeMode[]; behind: Record<string, string[]> }[] = [
  { name: "has come where the pool says", modes: [mode("a"), mode("b")], behind: {} },
  {
    name: "waits for another",
    modes: [mode("a", { realised: false, waiting: ["b does not accept ipip yet"] }), mode("b")],
    behind: { a: ["b does not accept ipip yet"] },
  },
  {
    name: "has not seen the last change",
    modes: [mode("a", { resourceVersion: "6" }), mode("b")],
    behind: { a: ["has not acted on the pool as it is now"] },
  },
  {
    name: "has never spoken",
    modes: [mode("a")],
    behind: { b: ["has published nothing: is its agent running?"] },
  },
];
for (const { name, modes, behind } of cases) {
  test(`a node that ${name}`, () => {
    const status = modeStatus({ nodes: [node("b"), node("a")], pools: [pool], nodeModes: modes });
    const [standing] = status.pools;
    assert.deepEqual(
      Object.fromEntries(standing!.behind.map((item) => [item.node, item.waiting])),
      behind,
    );
    assert.equal(standing?.realisedBy, 2 - Object.keys(behind).length);
    assert.equal(status.settled, Object.keys(behind).length === 0);
  });
}

test("ways are counted over the nodes that are still in the cluster", () => {
  const nodeModes = [mode("a"), mode("b"), mode("gone")];
  const status = modeStatus({ nodes: [node("a"), node("b")], pools: [pool], nodeModes });
  assert.deepEqual(status.ways, { none: 2, ipip: 4 });
  assert.deepEqual(
    status.nodes.map((item) => item.node),
    ["a", "b"],
  );
});
