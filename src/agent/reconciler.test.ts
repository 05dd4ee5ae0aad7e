import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeDataplane, FakeKernel } from "../dataplane/index.ts";
import { type Datastore, openSqliteStore, withRules } from "../datastore/index.ts";
import {
  FakeClock,
  type Ipv4,
  ipv4,
  type Prefix,
  type Prefix4,
  parsePrefix,
  prefix4,
  SwitchyardError,
  sleep,
} from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import type { ChangeOrders, Encapsulation, IPPoolSpec } from "../model/index.ts";
import type { PrefixFacts } from "../plan/index.ts";
import { Announcer } from "./announcer.ts";
import { Cluster } from "./cluster.ts";
import { type PassResult, Reconciler } from "./reconciler.ts";
import { affinityResource, nodeResource, poolResource } from "./testing.ts";

const blocks = { node1: "10.244.1.0/26", node2: "10.244.2.0/26" } as const;
const addresses = { node1: "172.139.20.75", node2: "172.139.20.76" } as const;
type Name = keyof typeof blocks;

/** Two nodes over one store; passes run when the test says so. */
class Bench {
  /** What a pass over single prefixes is told of each. */
  factsAt: (prefix: Prefix) => PrefixFacts = () => ({ blocks: [], learned: [] });
  readonly clock = new FakeClock();
  readonly store: Datastore;
  /** The datastore refuses every call. */
  outage = false;
  /** Writes of NodeModes happen, but the writer does not learn of it. */
  loseAnswers = false;
  /** What IPAM has given the nodes. */
  readonly probes: Partial<Record<Name, Ipv4>> = {};
  /** Why a node does not answer at its probe address. */
  readonly unanswered: Partial<Record<Name, string>> = {};
  /** This node's watch of NodeModes says nothing until it is lifted. */
  stalled: Name | undefined;
  readonly nodes: Record<
    Name,
    {
      cluster: Cluster;
      kernel: FakeKernel;
      dataplane: FakeDataplane;
      reconciler: Reconciler;
      /** MTUs told to the CNI plugin. */
      written: number[];
    }
  >;

  constructor() {
    this.store = withRules(openSqliteStore(":memory:"), { clock: this.clock });
    this.nodes = { node1: this.#node("node1"), node2: this.#node("node2") };
  }

  async start(): Promise<void> {
    await this.store.create(poolResource());
    for (const name of ["node1", "node2"] as const) {
      const node = nodeResource(name, `${addresses[name]}/24`);
      await this.store.create<"Node">({
        ...node,
        spec: {
          bgp: { ...node.spec.bgp, ipv4IPIPTunnelAddr: blocks[name].replace("0/26", "2") },
          ipv4VXLANTunnelAddr: blocks[name].replace("0/26", "1"),
        },
      });
      await this.store.create(affinityResource(name, blocks[name]));
    }
    for (const { cluster } of Object.values(this.nodes)) cluster.start(() => {});
    await this.settle();
  }

  /** Lets watches deliver. */
  async settle(): Promise<void> {
    for (let i = 0; i < 20; i++) await this.clock.advance(1);
  }

  async pass(name: Name): Promise<PassResult> {
    const running = this.nodes[name].reconciler.pass();
    let done = false;
    const ended = running.finally(() => {
      done = true;
    });
    for (let i = 0; !done && i < 6000; i++) await this.clock.advance(1);
    const result = await ended;
    await this.settle();
    return result;
  }

  async patch(spec: Partial<IPPoolSpec>): Promise<void> {
    const pool = await this.store.get("IPPool", "default-ipv4-ippool");
    await this.store.update<"IPPool">({ ...pool, spec: { ...pool.spec, ...spec } });
    await this.settle();
  }

  async mode(name: Name) {
    return (await this.store.get("NodeMode", name)).status!;
  }

  sends(name: Name): Encapsulation | undefined {
    const { kernel } = this.nodes[name];
    const remote = name === "node1" ? blocks.node2 : blocks.node1;
    const device = kernel.routes.get(remote)?.device;
    if (device === undefined) return undefined;
    return device === "tunl0" ? "ipip" : device === "vxlan.calico" ? "vxlan" : "none";
  }

  async stop(): Promise<void> {
    this.outage = false;
    const stopping = Promise.all(Object.values(this.nodes).map(({ cluster }) => cluster.stop()));
    await this.settle();
    await stopping;
    await this.store.close();
  }

  #node(name: Name) {
    const { clock } = this;
    const store = this.#viewOf(name);
    const kernel = new FakeKernel({
      nodeAddress: addresses[name],
      host: {
        uplink: { name: "eth0", index: 2, mac: "02:00:00:00:00:01", mtu: 1500 },
        interfaces: [{ name: "eth0", mtu: 1500, running: true }],
        routes: [{ destination: prefix4("172.139.20.0/24"), device: "eth0" }],
      },
    });
    const dataplane = new FakeDataplane(kernel);
    const cluster = new Cluster({ store, clock, log: silentLog });
    const remote = name === "node1" ? "node2" : "node1";
    const learned = [
      { prefix: parsePrefix(blocks[remote]) as Prefix4, nextHop: ipv4(addresses[remote]) },
    ];
    const written: number[] = [];
    const reconciler = new Reconciler({
      node: name,
      cluster,
      dataplane,
      announcer: new Announcer({ store, cluster, node: name, clock }),
      clock,
      log: silentLog,
      version: "test",
      vxlanMac: (node) => `66:00:00:00:00:0${node.slice(-1)}`,
      learned: () => learned,
      factsAt: (prefix) => this.factsAt(prefix),
      bgpConverged: () => true,
      probe: () => ({ address: this.probes[name] }),
      answerAt: async () => this.unanswered[name],
      writeMtu: (mtu) => {
        written.push(mtu);
        return undefined;
      },
      drainMs: 1000,
    });
    return { cluster, kernel, dataplane, reconciler, written };
  }

  #viewOf(name: Name): Datastore {
    const { clock } = this;
    const away = () => new SwitchyardError("DATASTORE_UNAVAILABLE", "the datastore is away");
    const stalled = async () => {
      while (this.stalled === name) await sleep(clock, 1);
    };
    return new Proxy(this.store, {
      get: (target, property) => {
        const value = Reflect.get(target, property) as unknown;
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          if (this.outage) throw away();
          const answer = (value as (...args: unknown[]) => unknown).apply(target, args);
          if (property === "watch" && args[0] === "NodeMode")
            return delayed(answer as ReturnType<Datastore["watch"]>, stalled);
          if (property !== "update" || !this.loseAnswers) return answer;
          return (answer as Promise<unknown>).then(() => Promise.reject(away()));
        };
      },
    });
  }
}

async function* delayed<T>(events: AsyncIterable<T>, ready: () => Promise<void>) {
  for await (const event of events) {
    await ready();
    yield event;
  }
}

async function started(): Promise<Bench> {
  const bench = new Bench();
  await bench.start();
  for (let round = 0; round < 3; round++) {
    for (const name of ["node1", "node2"] as const) await bench.pass(name);
  }
  assert.deepEqual([bench.sends("node1"), bench.sends("node2")], ["ipip", "ipip"]);
  return bench;
}

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
