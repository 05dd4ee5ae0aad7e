/** What a node does when a mode change orders it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ipv4 } from "../lib/index.ts";
import type { ChangeOrders } from "../model/index.ts";
import { Bench, blocks, started } from "./reconciler.test-support.ts";

test("orders: a node widens, proves by its own table, moves, and goes back when nothing is ordered", async () => {
  const bench = await started();
  const { store, probes } = bench;
  const both = async (rounds = 3) => {
    for (let round = 0; round < rounds; round++) {
      for (const name of ["node1", "node2"] as const) await bench.pass(name);
    }
  };
  const base: ChangeOrders = {
    ...{ step: 1, widen: true, prove: "first", guard: false, moved: [], key: "00" },
  };
  const order = async (orders: Partial<ChangeOrders> | undefined) => {
    const change = await store.get("ModeChange", "to-vxlan");
    const { orders: _, ...status } = change.status!;
    const next = { ...status, ...(orders && { orders: { ...base, ...orders } }) };
    await store.update<"ModeChange">({ ...change, status: next });
    await bench.settle();
  };
  await store.create<"ModeChange">({
    apiVersion: "switchyard.io/v1",
    kind: "ModeChange",
    metadata: { name: "to-vxlan" },
    spec: { pool: "default-ipv4-ippool", to: "vxlan" },
    status: { phase: "Proving", phaseSince: "", from: "ipip", history: [], orders: base },
  });
  await bench.settle();
  await both(1);
  const first = (await bench.mode("node1")).changes?.["to-vxlan"];
  assert.deepEqual(first, {
    widened: false,
    moved: false,
    waiting: ["this node has no probe address yet"],
  });
  probes.node1 = ipv4("10.244.1.9");
  probes.node2 = ipv4("10.244.2.9");
  bench.unanswered.node1 = "port 17900 is taken";
  await both();
  const silent = await bench.mode("node1");
  assert.equal(silent.probeAddress, undefined, "nobody is told of an address that does not answer");
  assert.deepEqual(silent.changes?.["to-vxlan"]?.waiting, ["port 17900 is taken"]);
  delete bench.unanswered.node1;
  await both();
  const routesBefore = bench.nodes.node1.kernel.routeLines();
  const proving = await bench.mode("node1");
  assert.deepEqual(proving.changes, { "to-vxlan": { widened: true, moved: false } });
  assert.equal(proving.probeAddress, "10.244.1.9");
  assert.deepEqual(proving.accepts, ["none", "ipip", "vxlan"]);
  const objects = [...bench.nodes.node1.kernel.objects.keys()];
  assert.ok(objects.includes("address 10.244.1.9/32 dev lo"));
  assert.ok(objects.includes("route 10.244.2.9/32 table 17900"), objects.join("\n"));
  assert.deepEqual([bench.sends("node1"), bench.sends("node2")], ["ipip", "ipip"]);
  assert.deepEqual((await bench.mode("node1")).sends, ["ipip"], "proof packets are not announced");

  await order({ prove: "no", guard: true, moved: ["node1"] });
  await both();
  assert.deepEqual([bench.sends("node1"), bench.sends("node2")], ["vxlan", "ipip"]);
  assert.deepEqual((await bench.mode("node1")).changes, {
    "to-vxlan": { widened: true, moved: true },
  });
  assert.equal((await bench.mode("node1")).pools["default-ipv4-ippool"]?.mode, "VXLANAlways");
  assert.deepEqual((await bench.mode("node2")).changes, {
    "to-vxlan": { widened: true, moved: false },
  });
  assert.equal((await bench.mode("node2")).pools["default-ipv4-ippool"]?.mode, "IPIPAlways");
  const left = [...bench.nodes.node1.kernel.objects.keys()].filter((key) => key.includes("17900"));
  assert.deepEqual(left, [], "the proof is over");

  await order({ prove: "no", guard: true, moved: "all" });
  for (let i = 0; i < 3; i++) {
    await both();
    await bench.clock.advance(2000);
  }
  assert.deepEqual([bench.sends("node1"), bench.sends("node2")], ["vxlan", "vxlan"]);
  assert.deepEqual((await bench.mode("node1")).accepts, ["none", "ipip", "vxlan"], "a way back");

  await order({ prove: "no", guard: true, moved: [] });
  await both();
  assert.deepEqual([bench.sends("node1"), bench.sends("node2")], ["ipip", "ipip"]);
  await order(undefined);
  await both();
  await bench.clock.advance(1000);
  await both(2);
  const after = await bench.mode("node1");
  assert.deepEqual([after.changes, after.probeAddress], [undefined, undefined]);
  assert.deepEqual(after.accepts, ["none", "ipip"]);
  assert.deepEqual(bench.nodes.node1.kernel.routeLines(), routesBefore);
  assert.ok(![...bench.nodes.node1.kernel.objects.keys()].some((key) => key.endsWith("dev lo")));
  await bench.stop();
});

test("pods' packets shrink before a node says that it is widened, and grow after the change", async () => {
  const bench = new Bench();
  await bench.start();
  const { written, dataplane } = bench.nodes.node1;
  const both = async (rounds = 6) => {
    for (let round = 0; round < rounds; round++) {
      for (const name of ["node1", "node2"] as const) await bench.pass(name);
      await bench.clock.advance(1000);
    }
  };
  await bench.patch({ ipipMode: "Never" });
  await both();
  assert.equal(written.at(-1), 1500);
  bench.probes.node1 = ipv4("10.244.1.9");
  bench.probes.node2 = ipv4("10.244.2.9");
  const apply = dataplane.apply.bind(dataplane);
  const seen: string[] = [];
  dataplane.apply = async (plan) => {
    const { accepts } = await bench.mode("node1");
    seen.push(`${plan.mtu.pods} ${accepts.includes("vxlan")}`);
    return apply(plan);
  };
  const made = await bench.store.create<"ModeChange">({
    apiVersion: "switchyard.io/v1",
    kind: "ModeChange",
    metadata: { name: "mtu" },
    spec: { pool: "default-ipv4-ippool", to: "vxlan" },
    status: {
      ...{ phase: "Widening", phaseSince: "", from: "none", history: [] },
      orders: { step: 1, widen: true, prove: "no", guard: false, moved: [], key: "00" },
    },
  });
  await bench.settle();
  await both();
  assert.equal((await bench.mode("node1")).changes?.mtu?.widened, true);
  assert.equal(seen[0], "1450 false", "smaller before anybody may send VXLAN here");
  assert.equal(written.at(-1), 1450);
  await bench.store.delete("ModeChange", made.metadata.name);
  await bench.settle();
  seen.length = 0;
  await both(1);
  assert.equal(seen[0], "1450 true", "the change is gone, the tunnel is not yet");
  await both();
  assert.equal(written.at(-1), 1500);
  await bench.stop();
});

test("orders can move single blocks, from every node", async () => {
  const bench = await started();
  await bench.store.create<"ModeChange">({
    apiVersion: "switchyard.io/v1",
    kind: "ModeChange",
    metadata: { name: "blocks" },
    spec: { pool: "default-ipv4-ippool", to: "vxlan", blocks: [blocks.node2] },
    status: {
      ...{ phase: "Canary", phaseSince: "", from: "ipip", history: [] },
      orders: {
        ...{ step: 1, widen: true, prove: "no", guard: true, moved: [], key: "00" },
        blocks: [blocks.node2],
      },
    },
  });
  await bench.settle();
  await bench.pass("node1");
  assert.equal((await bench.mode("node1")).changes?.blocks?.blocks, 0, "node2 is not ready");
  for (const name of ["node2", "node1", "node2"] as const) await bench.pass(name);
  assert.deepEqual([bench.sends("node1"), bench.sends("node2")], ["vxlan", "ipip"]);
  for (const name of ["node1", "node2"] as const) {
    const { changes, pools } = await bench.mode(name);
    assert.deepEqual([changes?.blocks?.moved, changes?.blocks?.blocks], [false, 1]);
    assert.equal(pools["default-ipv4-ippool"]?.mode, "IPIPAlways");
  }
  await bench.stop();
});

test("an order that comes while a plan is applied is not said to be done by it", async () => {
  const bench = await started();
  const { dataplane } = bench.nodes.node1;
  const apply = dataplane.apply.bind(dataplane);
  dataplane.apply = async (plan) => {
    const actual = await apply(plan);
    await bench.patch({ ipipMode: "Never", vxlanMode: "Always" });
    return actual;
  };
  const before = (await bench.mode("node1")).pools["default-ipv4-ippool"];
  await bench.pass("node1");
  assert.deepEqual((await bench.mode("node1")).pools["default-ipv4-ippool"], before);
  await bench.stop();
});

test("a tunnel whose address sockets use stays, is offered still, and says why; then it goes", async () => {
  const bench = await started();
  const { sockets } = bench.nodes.node1.kernel;
  const ends = { sourcePort: 40000, destination: ipv4("10.244.2.7"), destinationPort: 22 };
  const of = { protocol: "tcp", state: "established", inode: 7 } as const;
  sockets.push({ ...of, ...ends, source: ipv4("10.244.1.2") });
  await bench.patch({ ipipMode: "Never" });
  const passes = async () => {
    let wakeInMs: number | undefined;
    for (let round = 0; round < 6; round++) {
      for (const name of ["node1", "node2"] as const) {
        const atMs = bench.clock.monotonicMs();
        const { wakeAtMs } = await bench.pass(name);
        if (name === "node1") wakeInMs = wakeAtMs && wakeAtMs - atMs;
      }
      await bench.clock.advance(1000);
    }
    return wakeInMs;
  };
  const wakeInMs = await passes();
  assert.ok(wakeInMs && wakeInMs > 4_000 && wakeInMs < 6_000, `looks again in ${wakeInMs} ms`);
  assert.deepEqual([bench.sends("node1"), bench.sends("node2")], ["none", "none"]);
  assert.ok(bench.nodes.node1.kernel.devices.has("tunl0"));
  assert.ok(bench.nodes.node1.kernel.objects.has("address 10.244.1.2/32 dev tunl0"));
  assert.ok(!bench.nodes.node2.kernel.devices.has("tunl0"));
  assert.deepEqual((await bench.mode("node1")).kept, [
    "the ipip tunnel and its address stay: a socket of this host (tcp to 10.244.2.7 port 22, established) uses 10.244.1.2",
  ]);
  sockets.length = 0;
  await passes();
  assert.equal((await bench.mode("node1")).kept, undefined);
  assert.ok(!bench.nodes.node1.kernel.devices.has("tunl0"));
  await bench.stop();
});
