/** Tunnel addresses: kept, moved, taken away, found again. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, hasCode, ipAddress, ipv4, prefix } from "../lib/index.ts";
import { allocations, assertConsistent, put, type World, world } from "./ipam.test-support.ts";

const POOL = prefix("10.0.0.0/24");
const OTHER = prefix("10.1.0.0/24");
const type = "ipipTunnelAddress" as const;
const handle = "ipip-tunnel-addr-a";

async function cluster(): Promise<World> {
  const it = await world([{ cidr: "10.0.0.0/24" }, { cidr: "10.1.0.0/24" }]);
  await put(it.store, "Node", { name: "a", spec: {} });
  return it;
}

async function publish(it: World, address: string | undefined): Promise<void> {
  const node = await it.store.get("Node", "a");
  const spec = address === undefined ? {} : { bgp: { ipv4IPIPTunnelAddr: address } };
  await it.store.update<"Node">({ ...node, spec });
}

test("a tunnel address is an allocation of the node's own block and is kept", async () => {
  const it = await cluster();
  const address = await it.ipam.ensureTunnelAddress({ node: "a", type, pools: [POOL] });
  assert.ok(address !== undefined);
  assert.deepEqual([...(await allocations(it.store))], [[formatAddress(address), handle]]);
  const allocation = await it.ipam.allocationOf(address);
  assert.ok(allocation.kind === "allocated");
  assert.deepEqual(allocation.attributes, { node: "a", type });
  await publish(it, formatAddress(address));
  assert.equal(await it.ipam.ensureTunnelAddress({ node: "a", type, pools: [POOL] }), address);
  assert.equal((await allocations(it.store)).size, 1);
});

test("an address that was allocated but never published is found by its handle", async () => {
  const it = await cluster();
  const first = await it.ipam.ensureTunnelAddress({ node: "a", type, pools: [POOL] });
  assert.equal(await it.ipam.ensureTunnelAddress({ node: "a", type, pools: [POOL] }), first);
  assert.equal((await allocations(it.store)).size, 1);
});

test("each encapsulation has an address of its own", async () => {
  const it = await cluster();
  const ipip = await it.ipam.ensureTunnelAddress({ node: "a", type, pools: [POOL] });
  const request = { node: "a", type: "vxlanTunnelAddress" as const, pools: [POOL] };
  const vxlan = await it.ipam.ensureTunnelAddress(request);
  assert.notEqual(ipip, vxlan);
  assert.deepEqual([...(await allocations(it.store)).values()].sort(), [
    "ipip-tunnel-addr-a",
    "vxlan-tunnel-addr-a",
  ]);
});

test("an address in a pool that is not eligible any more is replaced", async () => {
  const it = await cluster();
  const first = await it.ipam.ensureTunnelAddress({ node: "a", type, pools: [POOL] });
  await publish(it, formatAddress(first!));
  const second = await it.ipam.ensureTunnelAddress({ node: "a", type, pools: [OTHER] });
  assert.match(formatAddress(second!), /^10\.1\.0\./);
  assert.deepEqual([...(await allocations(it.store)).keys()], [formatAddress(second!)]);
  await assertConsistent(it.store, { exact: true });
});

test("without an eligible pool the address is released", async () => {
  const it = await cluster();
  const first = await it.ipam.ensureTunnelAddress({ node: "a", type, pools: [POOL] });
  await publish(it, formatAddress(first!));
  for (let i = 0; i < 2; i++) {
    assert.equal(await it.ipam.ensureTunnelAddress({ node: "a", type, pools: [] }), undefined);
    assert.equal((await allocations(it.store)).size, 0);
  }
});

test("a published address that belongs to a pod is left to the pod", async () => {
  const it = await cluster();
  const address = ipv4("10.0.0.5");
  await it.ipam.assignIp({ address, handle: "net.pod", attributes: { pod: "p" }, node: "a" });
  await publish(it, "10.0.0.5");
  const mine = await it.ipam.ensureTunnelAddress({ node: "a", type, pools: [POOL] });
  assert.notEqual(mine, address);
  assert.equal((await allocations(it.store)).get("10.0.0.5"), "net.pod");
});

test("a very old allocation without handle gets one and keeps its address", async () => {
  const it = await cluster();
  const address = ipAddress("10.0.0.5");
  await it.ipam.assignIp({ address, handle: "old", attributes: {}, node: "a" });
  const block = (await it.store.list("IPAMBlock")).items[0]!;
  await it.store.update<"IPAMBlock">({ ...block, spec: { ...block.spec, attributes: [{}] } });
  await it.store.delete("IPAMHandle", "old");
  await publish(it, "10.0.0.5");
  assert.equal(await it.ipam.ensureTunnelAddress({ node: "a", type, pools: [POOL] }), address);
  assert.deepEqual([...(await allocations(it.store))], [["10.0.0.5", handle]]);
  await assertConsistent(it.store, { exact: true });
});

test("no address left is an error that names the node", async () => {
  const it = await world([{ cidr: "10.0.0.0/32", blockSize: 32 }]);
  const taken = { handle: "net.pod", attributes: {}, node: "b", use: "Workload" as const };
  await it.ipam.autoAssign({ ...taken, count: 1 });
  await assert.rejects(
    it.ipam.ensureTunnelAddress({ node: "a", type, pools: [prefix("10.0.0.0/32")] }),
    (error) => {
      assert.ok(hasCode(error, "IPAM_EXHAUSTED"));
      assert.equal(
        error.message,
        "no address for the tunnel of node a (ipipTunnelAddress): No IPs available in pools: [10.0.0.0/32]",
      );
      return true;
    },
  );
});

test("the VXLAN address of IPv6 comes from an IPv6 pool", async () => {
  const it = await world([{ cidr: "10.0.0.0/24" }, { cidr: "fd00::/120", blockSize: 122 }]);
  await put(it.store, "Node", { name: "a", spec: {} });
  const request = {
    node: "a",
    type: "vxlanV6TunnelAddress",
    pools: [prefix("fd00::/120")],
  } as const;
  const address = await it.ipam.ensureTunnelAddress(request);
  assert.match(formatAddress(address!), /^fd00::/);
  assert.deepEqual([...(await allocations(it.store)).values()], ["vxlan-v6-tunnel-addr-a"]);
  assert.equal(await it.ipam.ensureTunnelAddress(request), address);
});
