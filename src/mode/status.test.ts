import assert from "node:assert/strict";
import { test } from "node:test";
import { affinityResource, nodeResource } from "../facts/testing/resources.ts";
import type {
  BlockAffinity,
  IPPool,
  ModeChange,
  Node,
  NodeMode,
  NodeModeStatus,
} from "../model/index.ts";
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

const cluster = {
  nodes: [node("a"), node("b")],
  pools: [pool],
  nodeModes: [] as readonly NodeMode[],
  changes: [] as readonly ModeChange[],
  affinities: [] as readonly BlockAffinity[],
};

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
    const status = modeStatus({ ...cluster, nodes: [node("b"), node("a")], nodeModes: modes });
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
  const status = modeStatus({ ...cluster, nodeModes });
  assert.deepEqual(status.ways, { none: 2, ipip: 4 });
  assert.deepEqual(
    status.nodes.map((item) => item.node),
    ["a", "b"],
  );
});

const change = (
  moved: string[],
  phase: NonNullable<ModeChange["status"]>["phase"] = "Rolling",
): ModeChange => ({
  apiVersion: "switchyard.io/v1",
  kind: "ModeChange",
  metadata: { name: "c1" },
  spec: { pool: "pods", to: "none" },
  status: {
    phase,
    phaseSince: "2026-01-01T00:00:00Z",
    from: "ipip-cross-subnet",
    confirmBy: "2026-01-01T00:10:00Z",
    driver: "a",
    history: [],
    orders: { step: 3, widen: true, prove: "no", guard: true, moved, key: "00" },
  },
});

test("a change that runs is told, and who has moved is not where the pool is", () => {
  const moved = mode("a", { mode: "None" });
  moved.status!.changes = { c1: { widened: true, moved: true } };
  const status = modeStatus({
    ...cluster,
    nodeModes: [moved, mode("b")],
    changes: [change(["a"])],
  });
  assert.deepEqual(status.changes, [
    {
      ...{ name: "c1", pool: "pods", from: "ipip-cross-subnet", to: "none", phase: "Rolling" },
      ...{ since: "2026-01-01T00:00:00Z", moved: 1, driver: "a", paused: false },
      goesBackAt: undefined,
    },
  ]);
  assert.deepEqual(status.pools[0]?.behind, [{ node: "a", waiting: ["plans with none by c1"] }]);
  assert.equal(status.settled, false);
});

test("a change that waits says when it goes back; one that has ended is not told", () => {
  const nodeModes = [mode("a"), mode("b")];
  const waiting = modeStatus({ ...cluster, nodeModes, changes: [change([], "AwaitingConfirm")] });
  assert.equal(waiting.changes[0]?.goesBackAt, "2026-01-01T00:10:00Z");
  assert.equal(waiting.settled, false, "it is not over");
  const over = modeStatus({ ...cluster, nodeModes, changes: [change([], "Done")] });
  assert.deepEqual(over.changes, []);
  assert.equal(over.settled, true);
});

const spread = {
  ...cluster,
  nodes: [
    nodeResource("a", "172.139.20.75/24"),
    nodeResource("b", "172.139.20.76/24"),
    nodeResource("c", "172.139.30.75/24"),
  ],
  affinities: [
    affinityResource("a", "10.244.1.0/26"),
    affinityResource("b", "10.244.2.0/26"),
    affinityResource("c", "10.244.3.0/26"),
  ],
};

test("ways that are asked for, by subnets", () => {
  const [near, far] = ["172.139.20.0/24", "172.139.30.0/24"];
  assert.deepEqual(modeStatus(spread).subnets, [
    { from: near, to: near, wanted: { none: 2 } },
    { from: near, to: far, wanted: { ipip: 2 } },
    { from: far, to: near, wanted: { ipip: 2 } },
  ]);
  assert.deepEqual(modeStatus({ ...spread, changes: [change(["a"])] }).subnets[1], {
    from: near,
    to: far,
    wanted: { none: 1, ipip: 1 },
  });
});

const drifts: [name: string, changed: Partial<NodeModeStatus>, address: string, drift: number][] = [
  ["sends what is asked", { destinations: { none: 1, ipip: 1 } }, "172.139.20.75/24", 0],
  ["sends what nobody asks", { destinations: { none: 1, vxlan: 1 } }, "172.139.20.75/24", 1],
  ["has no mask that counts", { destinations: { none: 1, vxlan: 1 } }, "172.139.20.75", 0],
  [
    "has not seen the pool as it is",
    { destinations: { vxlan: 2 }, pools: mode("a", { resourceVersion: "6" }).status!.pools },
    "172.139.20.75/24",
    0,
  ],
  [
    "is on its way",
    { destinations: { vxlan: 2 }, pools: mode("a", { realised: false }).status!.pools },
    "172.139.20.75/24",
    0,
  ],
];
for (const [name, changed, address, drift] of drifts) {
  test(`a node that ${name}: ${drift === 0 ? "no drift" : "drift"}`, () => {
    const a = mode("a");
    const nodeModes = [{ ...a, status: { ...a.status!, ...changed } }];
    const nodes = [nodeResource("a", address), ...spread.nodes.slice(1)];
    assert.equal(modeStatus({ ...spread, nodes, nodeModes }).drift.length, drift);
  });
}
