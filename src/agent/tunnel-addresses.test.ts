import assert from "node:assert/strict";
import { test } from "node:test";
import { type Datastore, openSqliteStore, withRules } from "../datastore/index.ts";
import { Ipam } from "../ipam/index.ts";
import { FakeClock } from "../lib/index.ts";
import type { IPPoolSpec, Node } from "../model/index.ts";
import { nodeResource, poolResource } from "./testing.ts";
import { syncTunnelAddresses } from "./tunnel-addresses.ts";

async function bench(spec: Partial<IPPoolSpec> = {}) {
  const clock = new FakeClock();
  const store: Datastore = withRules(openSqliteStore(":memory:"), { clock });
  const ipam = new Ipam({ store, clock });
  await store.create(poolResource(spec));
  await store.create(nodeResource("node1", "172.139.20.75/24"));
  const node = () => store.get("Node", "node1");
  const used = new Set<string>();
  const sync = async (receive: string[], stale?: Node) =>
    syncTunnelAddresses(ipam, store, {
      node: stale ?? (await node()),
      pools: (await store.list("IPPool")).items,
      receive: new Set(receive),
      useOf: async (address) => (used.has(address) ? "a socket uses it" : undefined),
    });
  const patch = async (spec: Partial<IPPoolSpec>) => {
    const pool = await store.get("IPPool", "default-ipv4-ippool");
    await store.update<"IPPool">({ ...pool, spec: { ...pool.spec, ...spec } });
  };
  const addresses = async () => {
    const { spec } = await node();
    return { ipip: spec.bgp?.ipv4IPIPTunnelAddr, vxlan: spec.ipv4VXLANTunnelAddr };
  };
  return { store, node, sync, patch, addresses, used };
}

test("a pool that asks for a tunnel gives the node an address for it, once", async () => {
  const { node, sync, addresses } = await bench();
  await sync([]);
  const first = await addresses();
  assert.match(first.ipip ?? "", /^10\.244\.\d+\.\d+$/);
  assert.equal(first.vxlan, undefined);
  const { resourceVersion } = (await node()).metadata;
  await sync(["ipip"]);
  assert.deepEqual(await addresses(), first);
  assert.equal((await node()).metadata.resourceVersion, resourceVersion, "nothing was written");
});

test("an address is given back only when the node has stopped receiving", async () => {
  const { store, sync, patch, addresses } = await bench();
  await sync(["ipip"]);
  await patch({ ipipMode: "Never", vxlanMode: "Always" });
  await sync(["ipip", "vxlan"]);
  const both = await addresses();
  assert.ok(both.ipip && both.vxlan && both.ipip !== both.vxlan);
  await sync(["vxlan"]);
  assert.deepEqual(await addresses(), { ipip: undefined, vxlan: both.vxlan });
  const handles = (await store.list("IPAMHandle")).items.map(({ metadata }) => metadata.name);
  assert.deepEqual(handles, ["vxlan-tunnel-addr-node1"]);
});

test("what somebody else writes to the Node at the same time is kept", async () => {
  const { store, node, sync, addresses } = await bench();
  const stale = await node();
  await store.update<"Node">({
    ...stale,
    metadata: { ...stale.metadata, labels: { rack: "20" } },
  });
  await sync([], stale);
  assert.ok((await addresses()).ipip);
  assert.deepEqual((await node()).metadata.labels, { rack: "20" });
  assert.equal((await node()).spec.bgp?.ipv4Address, "172.139.20.75/24");
});

test("an address that was wiped from the Node is found again by its handle", async () => {
  const { store, node, sync, addresses } = await bench();
  await sync([]);
  const before = await addresses();
  const stored = await node();
  await store.update<"Node">({ ...stored, spec: { bgp: { ipv4Address: "172.139.20.75/24" } } });
  await sync(["ipip"]);
  assert.deepEqual(await addresses(), before);
});

test("a disabled pool gives no new address, and takes none away that is in use", async () => {
  const { sync, patch, addresses } = await bench({ disabled: true });
  await sync([]);
  assert.deepEqual(await addresses(), { ipip: undefined, vxlan: undefined });
  await patch({ disabled: false });
  await sync([]);
  const held = await addresses();
  await patch({ disabled: true });
  await sync(["ipip"]);
  assert.deepEqual(await addresses(), held);
});

test("a pool for other nodes gives no address, and takes none away that is in use", async () => {
  const { node, store, sync, patch, addresses } = await bench({ nodeSelector: "rack == '30'" });
  await sync([]);
  assert.deepEqual(await addresses(), { ipip: undefined, vxlan: undefined });
  const stored = await node();
  const metadata = { ...stored.metadata, labels: { rack: "30" } };
  await store.update<"Node">({ ...stored, metadata });
  await sync(["ipip"]);
  const given = await addresses();
  assert.ok(given.ipip);
  await patch({ nodeSelector: "rack == '20'" });
  await sync(["ipip"]);
  assert.deepEqual(await addresses(), given, "packets still come to it");
  await sync([]);
  assert.equal((await addresses()).ipip, undefined);
});

test("an address of a pool that serves the node no longer is replaced by one of a pool that does", async () => {
  const { store, sync, patch, addresses } = await bench();
  await sync([]);
  await store.create(poolResource({ cidr: "10.245.0.0/16", natOutgoing: true }, "second"));
  await sync(["ipip"]);
  assert.match((await addresses()).ipip ?? "", /^10\.244\./, "kept while it is valid");
  await patch({ allowedUses: ["Workload"] });
  await sync(["ipip"]);
  assert.match((await addresses()).ipip ?? "", /^10\.245\./);
});

test("an address that sockets use is neither given back nor replaced", async () => {
  const { store, sync, patch, addresses, used } = await bench();
  await sync([]);
  const { ipip } = await addresses();
  used.add(ipip ?? "");
  await patch({ ipipMode: "Never" });
  await sync([]);
  assert.deepEqual(await addresses(), { ipip, vxlan: undefined });
  // Another pool would give another one.
  await store.create(poolResource({ cidr: "10.99.0.0/16" }, "other"));
  await sync(["ipip"]);
  assert.deepEqual(await addresses(), { ipip, vxlan: undefined });
  used.clear();
  await sync(["ipip"]);
  assert.match((await addresses()).ipip ?? "", /^10\.99\./);
});
