import assert from "node:assert/strict";
import { test } from "node:test";
import { ipv4, prefix4 } from "../lib/index.ts";
import type { ChangeOrders, ModeChange } from "../model/index.ts";
import { type ChangeProgressInput, changeProgress } from "./change-progress.ts";
import { poolResource } from "./testing.ts";

const pool = poolResource();
const { name: poolName } = pool.metadata;

function change(orders: Partial<ChangeOrders> | undefined, name = "c1"): ModeChange {
  return {
    apiVersion: "switchyard.io/v1",
    kind: "ModeChange",
    metadata: { name },
    spec: { pool: poolName, to: "vxlan" },
    status: {
      ...{ phase: "Proving", phaseSince: "", from: "ipip", history: [] },
      ...(orders && {
        orders: {
          ...{ step: 1, widen: true, prove: "no", guard: false, moved: [], key: "00" },
          ...orders,
        },
      }),
    },
  };
}

const proof = { table: 17900, rules: [], routes: [] };
const realised = { mode: "IPIPAlways", resourceVersion: "1", realised: true, waiting: [] };
const block = (text: string) => ({
  ...{ prefix: prefix4(text), pool: poolName, node: "b" },
  ...{ wanted: "vxlan", chosen: "vxlan" },
});

/** A node that is ready for everything. */
const ready: ChangeProgressInput = {
  node: "a",
  pools: [pool],
  changes: [change({})],
  plan: { proof, destinations: [] },
  probe: ipv4("10.244.1.9"),
  current: new Map(),
  failed: [],
  accepts: ["none", "ipip", "vxlan"],
  progress: { [poolName]: realised },
  unlike: [],
  mesh: undefined,
  probeProblem: undefined,
};

const cases: readonly {
  readonly name: string;
  readonly input: Partial<ChangeProgressInput>;
  readonly says: object | undefined;
}[] = [
  { name: "no change has orders", input: { changes: [change(undefined)] }, says: undefined },
  { name: "it is ready", input: {}, says: { widened: true, moved: false } },
  {
    name: "all are ordered to move, and the kernel holds its plan",
    input: { changes: [change({ moved: "all" })] },
    says: { widened: true, moved: true },
  },
  {
    name: "all are ordered to move, and the kernel is not as planned",
    input: { changes: [change({ moved: "all" })], unlike: ["link tunl0 is not in the kernel"] },
    says: { widened: true, moved: false, waiting: ["link tunl0 is not in the kernel"] },
  },
  {
    name: "nothing is to be widened",
    input: { changes: [change({ widen: false })] },
    says: { widened: false, moved: false },
  },
  {
    name: "it does not receive the new way",
    input: { accepts: ["none", "ipip"] },
    says: { widened: false, moved: false, waiting: ["vxlan is not received yet"] },
  },
  {
    name: "IPAM has no address for it",
    input: {
      probe: undefined,
      probeProblem: "no probe address for node a in pool 10.244.0.0/16: No IPs available",
    },
    says: {
      ...{ widened: false, moved: false },
      waiting: ["no probe address for node a in pool 10.244.0.0/16: No IPs available"],
    },
  },
  {
    name: "its agent has no probe address, or does not answer there",
    input: { probe: undefined },
    says: { widened: false, moved: false, waiting: ["this node has no probe address yet"] },
  },
  {
    name: "a proof is ordered, and its table is not whole",
    input: {
      changes: [change({ prove: "first" })],
      failed: ["route 10.244.2.9/32 table 17900", "route 10.244.2.0/26"],
    },
    says: {
      ...{ widened: false, moved: false },
      waiting: ["not in the kernel: route 10.244.2.9/32 table 17900"],
    },
  },
  {
    name: "no proof is ordered, and something of a table is refused",
    input: { failed: ["route 10.244.2.9/32 table 17900"] },
    says: { widened: true, moved: false },
  },
  {
    name: "it is named, and all has moved",
    input: { changes: [change({ moved: ["a"] })] },
    says: { widened: true, moved: true },
  },
  {
    name: "it is named, and something is behind",
    input: {
      changes: [change({ moved: "all" })],
      progress: { [poolName]: { ...realised, realised: false } },
    },
    says: { widened: true, moved: false },
  },
  {
    name: "one of two blocks goes the new way",
    input: {
      changes: [change({ blocks: ["10.244.2.0/26", "10.244.3.0/26", "10.244.1.0/26"] })],
      plan: {
        ...ready.plan,
        destinations: [block("10.244.2.0/26"), block("10.244.3.0/26"), block("10.244.3.7/32")],
      } as ChangeProgressInput["plan"],
      current: new Map([
        ["10.244.2.0/26", "vxlan"],
        ["10.244.3.0/26", "vxlan"],
        ["10.244.3.7/32", "ipip"],
      ]),
    },
    says: { widened: true, moved: false, blocks: 2 },
  },
];
for (const { name, input, says } of cases) {
  test(`what a node says of a change when ${name}`, () => {
    const said = changeProgress({ ...ready, ...input });
    assert.deepEqual(said, says && { c1: says });
  });
}

test("nodes are probed for one change at a time, the oldest; the other waits", () => {
  const other = change({}, "c0");
  const older = {
    ...change({}),
    metadata: { name: "c1", creationTimestamp: "2026-01-01T00:00:00Z" },
  };
  const newer = { ...other, metadata: { name: "c0", creationTimestamp: "2026-01-02T00:00:00Z" } };
  assert.deepEqual(changeProgress({ ...ready, changes: [newer, older] }), {
    c1: { widened: true, moved: false },
    c0: { widened: false, moved: false, waiting: ["nodes are probed for ModeChange c1 now"] },
  });
  const gone = { ...older, spec: { pool: "gone", to: "vxlan" as const } };
  assert.deepEqual(changeProgress({ ...ready, changes: [gone] })?.c1?.waiting, [
    "there is no IPPool gone",
  ]);
  const mesh = { ...older, spec: { mesh: "off" as const } };
  assert.deepEqual(changeProgress({ ...ready, changes: [mesh] })?.c1, {
    ...{ widened: false, moved: false, waiting: ["this node speaks no BGP yet"] },
  });
});
