import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeDataplane } from "../dataplane/index.ts";
import { ipv4, prefix4 } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import { Announcer } from "./announcer.ts";
import { addresses, Bench, started } from "./reconciler.test-support.ts";
import { Reconciler } from "./reconciler.ts";

test("a node does not send what the other has not said it accepts, and does once it has", async () => {
  const bench = await started();
  await bench.patch({ ipipMode: "Never", vxlanMode: "Always" });
  await bench.pass("node1");
  await bench.pass("node1");
  assert.equal(bench.sends("node1"), "ipip", "node2 has said nothing yet");
  const waiting = (await bench.mode("node1")).pools["default-ipv4-ippool"];
  assert.deepEqual(waiting?.waiting, ["node2 does not accept vxlan yet"]);
  assert.equal(waiting?.realised, false);
  await bench.pass("node2");
  assert.equal(bench.sends("node2"), "vxlan", "node1 had accepted it before");
  await bench.pass("node1");
  assert.equal(bench.sends("node1"), "vxlan");
  assert.equal((await bench.mode("node1")).pools["default-ipv4-ippool"]?.realised, true);
  await bench.stop();
});

test("what will be sent is announced before the first such route exists", async () => {
  const bench = await started();
  await bench.patch({ ipipMode: "Never", vxlanMode: "Always" });
  const { dataplane } = bench.nodes.node2;
  const apply = dataplane.apply.bind(dataplane);
  const announced: string[][] = [];
  dataplane.apply = async (plan) => {
    const { sends } = await bench.mode("node2");
    announced.push(sends);
    for (const { chosen } of plan.destinations)
      assert.ok(chosen === undefined || sends.includes(chosen));
    return apply(plan);
  };
  await bench.pass("node1");
  await bench.pass("node2");
  await bench.pass("node2");
  assert.ok(announced.some((sends) => sends.includes("vxlan")));
  await bench.stop();
});

test("the old way is received until nobody sends it, and then for the drain", async () => {
  const bench = await started();
  await bench.patch({ ipipMode: "Never", vxlanMode: "Always" });
  for (const name of ["node1", "node2", "node1", "node2", "node1"] as const) await bench.pass(name);
  const devices = () => [...bench.nodes.node1.kernel.devices].filter((name) => name === "tunl0");
  assert.deepEqual(devices(), ["tunl0"]);
  assert.ok(!(await bench.mode("node1")).accepts.includes("ipip"), "withdrawn before it closes");
  await bench.pass("node1");
  assert.deepEqual(devices(), ["tunl0"], "draining");
  await bench.clock.advance(1000);
  await bench.pass("node1");
  assert.deepEqual(devices(), []);
  await bench.stop();
});

test("without a datastore nothing new is sent and nothing is given up", async () => {
  const bench = await started();
  await bench.patch({ ipipMode: "Never", vxlanMode: "Always" });
  await bench.pass("node2");
  bench.outage = true;
  await bench.pass("node1");
  assert.equal(bench.sends("node1"), "ipip");
  bench.outage = false;
  await bench.clock.advance(10_000);
  for (const name of ["node1", "node2", "node1"] as const) await bench.pass(name);
  assert.equal(bench.sends("node1"), "vxlan");
  await bench.stop();
});

test("a new agent finds everything as its predecessor left it and changes nothing", async () => {
  const bench = await started();
  const { kernel } = bench.nodes.node1;
  const before = [...kernel.routes.keys(), ...kernel.devices];
  const { updatedAt: _, ...said } = await bench.mode("node1");
  const fresh = new FakeDataplane(kernel);
  const cluster = bench.nodes.node1.cluster;
  const reconciler = new Reconciler({
    node: "node1",
    cluster,
    dataplane: fresh,
    announcer: new Announcer({ store: bench.store, cluster, node: "node1", clock: bench.clock }),
    clock: bench.clock,
    log: silentLog,
    version: "test",
    vxlanMac: (node) => `66:00:00:00:00:0${node.slice(-1)}`,
    // BGP has no session yet.
    learned: () => [],
    factsAt: () => ({ blocks: [], learned: [] }),
    bgpConverged: () => false,
    probe: () => ({ address: undefined }),
    answerAt: async () => undefined,
    writeMtu: () => undefined,
    drainMs: 1000,
  });
  const result = await reconciler.pass();
  assert.equal(result.actual.changes, 0);
  assert.deepEqual([...kernel.routes.keys(), ...kernel.devices], before);
  const { updatedAt: __, ...saidAgain } = await bench.mode("node1");
  assert.deepEqual(saidAgain, said);
  await bench.stop();
});

test("a node whose last announcement went unanswered does not send what it may have withdrawn", async () => {
  const bench = await started();
  await bench.patch({ ipipMode: "Never", vxlanMode: "Always" });
  for (const name of ["node1", "node2"] as const) await bench.pass(name);
  // node1 moves; that it sends IP-in-IP no more is written, but node1 does not learn of it.
  const { dataplane } = bench.nodes.node1;
  const apply = dataplane.apply.bind(dataplane);
  dataplane.apply = async (plan) => {
    bench.stalled = "node1";
    bench.loseAnswers = true;
    return apply(plan);
  };
  await bench.pass("node1");
  dataplane.apply = apply;
  bench.loseAnswers = false;
  assert.equal(bench.sends("node1"), "vxlan");
  assert.deepEqual((await bench.mode("node1")).sends, ["vxlan"]);
  // node2 does, and closes.
  for (let i = 0; i < 3; i++) {
    await bench.pass("node2");
    await bench.clock.advance(1000);
  }
  assert.ok(!bench.nodes.node2.kernel.devices.has("tunl0"));
  await bench.patch({ ipipMode: "Always", vxlanMode: "Never" });
  await bench.pass("node1");
  assert.equal(bench.sends("node1"), "vxlan", "node2 receives no IP-in-IP");
  bench.stalled = undefined;
  await bench.settle();
  for (const name of ["node1", "node2", "node1"] as const) await bench.pass(name);
  assert.equal(bench.sends("node1"), "ipip");
  await bench.stop();
});

test("the MTU of new pods falls before the overlay is used, and rises after it is gone", async () => {
  const bench = new Bench();
  await bench.start();
  const { written, kernel } = bench.nodes.node1;
  const both = async () => {
    await bench.pass("node1");
    await bench.pass("node2");
  };
  await both();
  await both();
  assert.deepEqual([...new Set(written)], [1480]);
  await bench.patch({ ipipMode: "Never", vxlanMode: "Always" });
  await bench.pass("node1");
  assert.equal(written.at(-1), 1450);
  assert.equal(bench.sends("node1"), "ipip", "node2 does not accept VXLAN yet");
  for (let i = 0; i < 6; i++) {
    await both();
    await bench.clock.advance(600);
  }
  assert.equal(bench.sends("node1"), "vxlan");
  await bench.patch({ vxlanMode: "Never" });
  await both();
  assert.equal(written.at(-1), 1450, "VXLAN is still received");
  for (let i = 0; i < 6; i++) {
    await both();
    await bench.clock.advance(600);
  }
  assert.equal(kernel.devices.has("vxlan.calico"), false);
  assert.equal(written.at(-1), 1500);
  kernel.interfaces = [{ name: "eth0", mtu: 1400, running: true }];
  await bench.pass("node1");
  assert.equal(written.at(-1), 1400, "no restart for a smaller fabric");
  await bench.stop();
});

test("a pass over changed prefixes brings their routes to the kernel, and no others", async () => {
  const bench = await started();
  const { reconciler, kernel } = bench.nodes.node1;
  const fresh = prefix4("10.244.7.0/26");
  const known = {
    blocks: [{ prefix: fresh, node: "node2" }],
    learned: [{ prefix: fresh, nextHop: ipv4(addresses.node2) }],
  };
  bench.factsAt = () => known;
  await bench.pass("node1");
  const published = (await bench.mode("node1")).updatedAt;
  assert.deepEqual((await reconciler.passOver([fresh]))?.actual.failures, []);
  assert.equal(kernel.routes.get("10.244.7.0/26")?.device, "tunl0");
  assert.equal(bench.sends("node1"), "ipip");
  bench.factsAt = () => ({ blocks: [], learned: [] });
  const gone = await reconciler.passOver([fresh]);
  assert.equal(kernel.routes.get("10.244.7.0/26"), undefined);
  assert.equal(gone?.plan.destinations.length, 1);
  assert.equal((await bench.mode("node1")).updatedAt, published);
  await bench.stop();
});

test("a pass over changed prefixes leaves to a whole pass what it cannot do alone", async () => {
  const bench = await started();
  const { reconciler, kernel } = bench.nodes.node1;
  const waiting = prefix4("10.244.7.0/26");
  // Nobody advertises it: why there is no route is to be told.
  bench.factsAt = () => ({ blocks: [{ prefix: waiting, node: "node2" }], learned: [] });
  await bench.pass("node1");
  assert.equal(await reconciler.passOver([waiting]), undefined);
  assert.equal(kernel.routes.get("10.244.7.0/26"), undefined);
  // Nothing to build on any more, until a whole pass has been.
  bench.factsAt = () => ({ blocks: [], learned: [] });
  assert.equal(await reconciler.passOver([waiting]), undefined);
  await bench.pass("node1");
  assert.ok(await reconciler.passOver([waiting]));
  await bench.stop();
});

test("a pass over changed prefixes sends nothing that this node no longer says it sends", async () => {
  const bench = await started();
  const { reconciler, kernel } = bench.nodes.node1;
  const fresh = prefix4("10.244.7.0/26");
  bench.factsAt = () => ({
    blocks: [{ prefix: fresh, node: "node2" }],
    learned: [{ prefix: fresh, nextHop: ipv4(addresses.node2) }],
  });
  await bench.pass("node1");
  const stored = await bench.store.get("NodeMode", "node1");
  await bench.store.update<"NodeMode">({ ...stored, status: { ...stored.status!, sends: [] } });
  await bench.settle();
  assert.equal(await reconciler.passOver([fresh]), undefined);
  assert.equal(kernel.routes.get("10.244.7.0/26"), undefined);
  await bench.stop();
});
