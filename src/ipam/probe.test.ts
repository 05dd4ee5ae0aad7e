/** Probe addresses: one per node, found again, given back, and what is said when there is none. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, hasCode, prefix, prefixContains } from "../lib/index.ts";
import { allocations, assertConsistent, put, world } from "./ipam.test-support.ts";

const POOL = prefix("10.0.0.0/26");
const OTHER = prefix("10.1.0.0/26");

async function cluster(spec: { allowedUses?: ["Tunnel"] } = {}) {
  const it = await world([{ cidr: "10.0.0.0/26", ...spec }, { cidr: "10.1.0.0/26" }]);
  for (const name of ["a", "b"]) await put(it.store, "Node", { name, spec: {} });
  return it;
}

test("a probe address is kept, found by its handle, and given back", async () => {
  const it = await cluster();
  assert.equal(await it.ipam.findProbeAddress("a"), undefined);
  const address = await it.ipam.ensureProbeAddress({ node: "a", pool: POOL });
  assert.ok(prefixContains(POOL, address));
  assert.equal(await it.ipam.ensureProbeAddress({ node: "a", pool: POOL }), address);
  assert.equal(await it.ipam.findProbeAddress("a"), address);
  assert.deepEqual(
    [...(await allocations(it.store))],
    [[formatAddress(address), "switchyard-probe-a"]],
  );
  const allocation = await it.ipam.allocationOf(address);
  assert.ok(allocation.kind === "allocated");
  assert.deepEqual(allocation.attributes, { node: "a", type: "probeAddress" });
  for (let i = 0; i < 2; i++) await it.ipam.releaseProbeAddress("a");
  assert.equal((await allocations(it.store)).size, 0);
  await assertConsistent(it.store, { exact: true });
});

test("a change of another pool moves it there, and leaves nothing behind", async () => {
  const it = await cluster();
  await it.ipam.ensureProbeAddress({ node: "a", pool: POOL });
  const moved = await it.ipam.ensureProbeAddress({ node: "a", pool: OTHER });
  assert.ok(prefixContains(OTHER, moved));
  assert.deepEqual([...(await allocations(it.store)).keys()], [formatAddress(moved)]);
  await assertConsistent(it.store, { exact: true });
});

test("a pool for tunnels only gives one, too; from a full block of another it is borrowed", async () => {
  const it = await cluster({ allowedUses: ["Tunnel"] });
  const first = await it.ipam.ensureProbeAddress({ node: "a", pool: POOL });
  const second = await it.ipam.ensureProbeAddress({ node: "b", pool: POOL });
  assert.notEqual(first, second);
  assert.ok(prefixContains(POOL, second), "the pool has one block, which is a's");
});

test("a full pool is said to be full", async () => {
  const it = await cluster();
  const all = { count: 64, handle: "pods", attributes: {}, node: "a", use: "Workload" } as const;
  await it.ipam.autoAssign({ ...all, pools: [POOL] });
  await assert.rejects(it.ipam.ensureProbeAddress({ node: "b", pool: POOL }), (error: Error) => {
    assert.ok(hasCode(error, "IPAM_EXHAUSTED"));
    assert.match(error.message, /no probe address for node b in pool 10\.0\.0\.0\/26: No IPs/);
    return true;
  });
});
