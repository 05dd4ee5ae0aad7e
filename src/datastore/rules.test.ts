import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, hasCode, systemClock } from "../lib/index.ts";
import type { BlockAffinity, IPAMBlock, IPPool, Kind, ResourceOf } from "../model/index.ts";
import { datastoreContract } from "./contract.test-suite.ts";
import { type Datastore, openSqliteStore, withRules } from "./index.ts";

datastoreContract({
  name: "sqlite with rules",
  async open() {
    const sqlite = openSqliteStore(":memory:", { keepLogEntries: 200 });
    const store = withRules(sqlite, { clock: systemClock });
    return { store, close: () => store.close() };
  },
});

function object<K extends Kind>(kind: K, name: string, spec: unknown): ResourceOf<K> {
  const metadata = { name };
  return { apiVersion: "projectcalico.org/v3", kind, metadata, spec } as ResourceOf<K>;
}

function pool(name: string, cidr: string): IPPool {
  return object("IPPool", name, { cidr });
}

function affinity(node: string, cidr: string): BlockAffinity {
  const name = `${node}-${cidr.replace(/[./]/g, "-")}`;
  return object("BlockAffinity", name, { state: "confirmed", node, type: "host", cidr });
}

/** `used` maps ordinals to handles. */
function block(node: string, cidr: string, used: Record<number, string> = {}): IPAMBlock {
  const handles = [...new Set(Object.values(used))];
  const allocations = Array.from({ length: 4 }, (_, ordinal) => {
    const handle = used[ordinal];
    return handle === undefined ? null : handles.indexOf(handle);
  });
  return object("IPAMBlock", cidr.replace(/[./]/g, "-"), {
    cidr,
    affinity: `host:${node}`,
    allocations,
    unallocated: [0, 1, 2, 3].filter((ordinal) => !(ordinal in used)),
    attributes: handles.map((handle) => ({ handle_id: handle })),
    sequenceNumber: 1_790_000_000_000_000_001n,
    sequenceNumberForAllocation: Object.fromEntries(
      Object.keys(used).map((ordinal) => [ordinal, 1_790_000_000_000_000_000n]),
    ),
  });
}

function open(clock = new FakeClock()): { store: Datastore; clock: FakeClock } {
  return { store: withRules(openSqliteStore(":memory:", { clock }), { clock }), clock };
}

async function names(store: Datastore, kind: Kind): Promise<string[]> {
  return (await store.list(kind)).items.map((item) => item.metadata.name);
}

async function revision(store: Datastore): Promise<string> {
  return (await store.list("IPPool")).resourceVersion;
}

test("of pools created at the same time that overlap, one stands", async () => {
  const { store } = open();
  const results = await Promise.allSettled([
    store.create(pool("a", "10.0.0.0/16")),
    store.create(pool("b", "10.0.1.0/24")),
    store.create(pool("c", "10.0.0.0/8")),
    store.create(pool("d", "11.0.0.0/8")),
  ]);
  assert.deepEqual(await names(store, "IPPool"), ["a", "d"]);
  const reasons = results.flatMap((result) =>
    result.status === "rejected" ? [result.reason] : [],
  );
  assert.deepEqual(
    reasons.map((reason: Error) => reason.message),
    [
      "error with field IPPool.Spec.CIDR = '10.0.1.0/24' (IPPool(b) CIDR overlaps with IPPool(a) CIDR 10.0.0.0/16)",
      "error with field IPPool.Spec.CIDR = '10.0.0.0/8' (IPPool(c) CIDR overlaps with IPPool(a) CIDR 10.0.0.0/16)",
    ],
  );
});

test("a pool whose block size contradicts existing blocks is refused", async () => {
  const { store } = open();
  await store.create(block("n1", "10.0.0.0/30"));
  const message =
    "error with field IPPool.Spec.BlockSize = '26' (IPPool blocksSize conflicts with existing allocations that use a different blockSize)";
  await assert.rejects(store.create(pool("a", "10.0.0.0/16")), { message });
  await store.create(object("IPPool", "b", { cidr: "10.0.0.0/16", blockSize: 30 }));
});

test("a refused write changes nothing, not even the revision", async () => {
  const { store } = open();
  const created = await store.create(pool("a", "10.0.0.0/16"));
  const before = await revision(store);
  const bad = { ...created, spec: { ...created.spec, ipipMode: "Always", vxlanMode: "Always" } };
  const attempts = [
    store.update(bad as IPPool),
    store.update({ ...created, spec: { ...created.spec, cidr: "10.1.0.0/16" } }),
    store.update({ ...created, metadata: { ...created.metadata, uid: "other" } }),
    store.create(pool("b", "10.0.0.0/24")),
    store.delete("IPPool", "a", { resourceVersion: "99" }),
    store.delete("IPPool", "a", { uid: "other" }),
    store.delete("Node", "a"),
  ];
  for (const result of await Promise.allSettled(attempts)) assert.equal(result.status, "rejected");
  assert.equal(await revision(store), before);
  assert.deepEqual(await store.get("IPPool", "a"), created);
});

test("deleting a pool disables it, waits for allocations, then releases its blocks", async () => {
  const { store, clock } = open();
  const created = await store.create(object("IPPool", "a", { cidr: "10.0.0.0/16", blockSize: 30 }));
  await store.create(affinity("n1", "10.0.0.0/30"));
  await store.create(block("n1", "10.0.0.0/30"));
  await store.create(affinity("n1", "10.0.0.4/30"));
  await store.create(block("n1", "10.0.0.4/30", { 1: "h" }));
  await store.create(affinity("n1", "11.0.0.0/30"));
  await store.create(block("n1", "11.0.0.0/30"));
  const deleting = store.delete("IPPool", "a", {
    resourceVersion: created.metadata.resourceVersion!,
  });
  await clock.advance(499);
  assert.equal((await store.get("IPPool", "a")).spec.disabled, true);
  assert.equal((await names(store, "BlockAffinity")).length, 3);
  await clock.advance(1);
  assert.equal((await deleting).metadata.name, "a");
  assert.deepEqual(await names(store, "IPPool"), []);
  assert.deepEqual(await names(store, "BlockAffinity"), ["n1-11-0-0-0-30"]);
  assert.deepEqual(await names(store, "IPAMBlock"), ["10-0-0-4-30", "11-0-0-0-30"]);
  const kept = await store.get("IPAMBlock", "10-0-0-4-30");
  assert.equal(kept.spec.affinity, null);
  assert.deepEqual(kept.spec.allocations, [null, 0, null, null]);
});

test("deleting a node takes with it what was the node's alone", async () => {
  const { store } = open();
  const bgp = { ipv4Address: "192.0.2.1/24", ipv4IPIPTunnelAddr: "10.0.0.0" };
  await store.create(object("Node", "n1", { bgp }));
  await store.create(object("Node", "n2", {}));
  for (const node of ["n1", "n2"]) {
    const spec = {
      orchestrator: "k8s",
      node,
      pod: "p",
      endpoint: "eth0",
      interfaceName: "cali0",
      ipNetworks: [node === "n1" ? "10.0.0.1/32" : "10.0.0.2/32"],
    };
    const endpoint = object("WorkloadEndpoint", "", spec);
    await store.create({ ...endpoint, metadata: { name: "", namespace: "red" } });
    await store.create(
      object("BGPPeer", `peer-${node}`, { node, peerIP: "192.0.2.9", asNumber: 1 }),
    );
    await store.create(object("FelixConfiguration", `node.${node}`, {}));
    await store.create(object("BGPConfiguration", `node.${node}`, {}));
    await store.create({
      apiVersion: "switchyard.io/v1",
      kind: "NodeMode",
      metadata: { name: node },
      spec: {},
    });
  }
  await store.create(object("BGPPeer", "global", { peerIP: "192.0.2.9", asNumber: 1 }));
  await store.create(affinity("n1", "10.0.0.0/30"));
  // A pod of the other node borrowed ordinal 2, and the handle "shared" has an address elsewhere.
  await store.create(block("n1", "10.0.0.0/30", { 0: "Tunnel", 1: "shared", 2: "other" }));
  const handle = (id: string, blocks: Record<string, number>) =>
    store.create(object("IPAMHandle", id.toLowerCase(), { handleID: id, block: blocks }));
  await handle("Tunnel", { "10.0.0.0/30": 1 });
  await handle("shared", { "10.0.0.0/30": 1, "10.9.0.0/30": 2 });
  await handle("other", { "10.0.0.0/30": 1 });

  await store.delete("Node", "n1");

  assert.deepEqual(await names(store, "Node"), ["n2"]);
  assert.deepEqual(await names(store, "WorkloadEndpoint"), ["n2-k8s-p-eth0"]);
  assert.deepEqual(await names(store, "BGPPeer"), ["global", "peer-n2"]);
  assert.deepEqual(await names(store, "FelixConfiguration"), ["node.n2"]);
  assert.deepEqual(await names(store, "BGPConfiguration"), ["node.n2"]);
  assert.deepEqual(await names(store, "NodeMode"), ["n2"]);
  assert.deepEqual(await names(store, "BlockAffinity"), []);
  assert.deepEqual(await names(store, "IPAMHandle"), ["other", "shared"]);
  assert.deepEqual((await store.get("IPAMHandle", "shared")).spec.block, { "10.9.0.0/30": 2 });
  const { spec } = await store.get("IPAMBlock", "10-0-0-0-30");
  assert.deepEqual(spec.allocations, [null, null, 0, null]);
  assert.deepEqual(spec.attributes, [{ handle_id: "other" }]);
  assert.deepEqual(spec.unallocated, [3, 0, 1]);
  assert.equal(spec.affinity, null);
  assert.equal(spec.sequenceNumber, 1_790_000_000_000_000_002n);
  assert.deepEqual(Object.keys(spec.sequenceNumberForAllocation ?? {}), ["2"]);
});

test("the cluster's identity cannot be deleted", async () => {
  const { store } = open();
  await store.create(object("ClusterInformation", "default", {}));
  await assert.rejects(store.delete("ClusterInformation", "default"), (error: Error) => {
    assert.ok(hasCode(error, "OPERATION_NOT_SUPPORTED"));
    assert.equal(error.message, "operation Delete is not supported on ClusterInformation(default)");
    return true;
  });
});

test("a pool stored without defaults is read with them", async () => {
  const sqlite = openSqliteStore(":memory:");
  await sqlite.create(pool("a", "10.0.0.0/16"));
  const store = withRules(sqlite, { clock: systemClock });
  const expected = ["Never", "Never", 26, "all()"];
  for (const { spec } of [await store.get("IPPool", "a"), ...(await store.list("IPPool")).items]) {
    const { ipipMode, vxlanMode, blockSize, nodeSelector } = spec;
    assert.deepEqual([ipipMode, vxlanMode, blockSize, nodeSelector], expected);
  }
  await store.close();
});

test("a peer names only filters that there are, whenever it is written", async () => {
  const { store } = open();
  const peer = object("BGPPeer", "tor", { peerIP: "192.0.2.1", filters: ["in", "out"] });
  await store.create(object("BGPFilter", "out", { exportV4: [{ action: "Accept" }] }));
  const refusal = {
    message: "error with field BGPPeer.Spec.Filters = '[in]' (BGPFilter(s) not found)",
  };
  await assert.rejects(store.create(peer), refusal);
  await store.create(object("BGPFilter", "in", {}));
  const stored = await store.create(peer);
  await store.delete("BGPFilter", "in");
  await assert.rejects(store.update(stored), refusal);
  assert.deepEqual(await names(store, "BGPPeer"), ["tor"]);
});
