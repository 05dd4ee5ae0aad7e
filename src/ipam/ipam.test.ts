/** Allocation by one client: every rule of it, one row each. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatAddress,
  formatPrefix,
  hasCode,
  type IpAddress,
  ipAddress,
  ipv4,
  prefix,
} from "../lib/index.ts";
import type { AutoAssignRequest } from "./auto-assign.ts";
import { allocations, assertConsistent, world } from "./ipam.test-support.ts";

const POOL = { cidr: "10.0.0.0/24" };

function pod(node: string, name: string, more: Partial<AutoAssignRequest> = {}): AutoAssignRequest {
  const handle = `k8s-pod-network.${name}`;
  return { count: 1, handle, attributes: { node, pod: name }, node, use: "Workload", ...more };
}

function texts(addresses: readonly IpAddress[]): string[] {
  return addresses.map(formatAddress);
}

test("addresses of one node come from one block, in order, and are counted in the handle", async () => {
  const { ipam, store, clock } = await world([POOL]);
  const first = await ipam.autoAssign(pod("a", "one", { count: 3 }));
  const block = (await store.list("IPAMBlock")).items[0]!;
  const base = ipv4(block.spec.cidr.split("/")[0]!);
  assert.deepEqual(first.addresses, [base, base + 1, base + 2]);
  assert.deepEqual(first.messages, []);
  assert.equal(block.spec.affinity, "host:a");
  assert.equal(block.spec.allocations.length, 64);
  assert.equal(block.spec.affinityClaimTime, "2023-11-14T22:13:20Z");
  assert.equal(block.spec.sequenceNumber, BigInt(clock.now()) * 1_000_000n + 1n);
  assert.deepEqual(block.spec.attributes, [
    { handle_id: "k8s-pod-network.one", secondary: { node: "a", pod: "one" } },
  ]);
  const affinity = (await store.list("BlockAffinity")).items[0]!;
  assert.equal(affinity.metadata.name, `a-${block.metadata.name}`);
  assert.deepEqual(affinity.spec, {
    state: "confirmed",
    node: "a",
    type: "host",
    cidr: block.spec.cidr,
    deleted: false,
  });
  const handle = (await store.list("IPAMHandle")).items[0]!;
  assert.deepEqual(handle.spec.block, { [block.spec.cidr]: 3 });
  assert.deepEqual(await ipam.addressesOfHandle("k8s-pod-network.one"), first.addresses);
  await assertConsistent(store, { exact: true });
});

test("two nodes have two blocks", async () => {
  const { ipam, store } = await world([POOL]);
  const a = await ipam.autoAssign(pod("a", "one"));
  const b = await ipam.autoAssign(pod("b", "two"));
  assert.notEqual((a.addresses[0] as number) >> 6, (b.addresses[0] as number) >> 6);
  assert.equal((await store.list("IPAMBlock")).items.length, 2);
});

test("the address freed longest ago is used again first, after all that were never used", async () => {
  const { ipam, store } = await world([{ cidr: "10.0.0.0/30", blockSize: 30 }]);
  const given: string[] = [];
  for (const name of ["p0", "p1", "p2", "p3"]) {
    given.push(...texts((await ipam.autoAssign(pod("a", name))).addresses));
  }
  await ipam.releaseByHandle("k8s-pod-network.p2");
  await ipam.releaseByHandle("k8s-pod-network.p0");
  assert.deepEqual(texts((await ipam.autoAssign(pod("a", "p4"))).addresses), [given[2]]);
  assert.deepEqual(texts((await ipam.autoAssign(pod("a", "p5"))).addresses), [given[0]]);
  await assertConsistent(store, { exact: true });
});

test("a full pool is a partial result with a message, then borrows what others leave", async () => {
  const { ipam, store } = await world([{ cidr: "10.0.0.0/29", blockSize: 30 }]);
  await ipam.autoAssign(pod("a", "one"));
  await ipam.autoAssign(pod("b", "two"));
  const rest = await ipam.autoAssign(pod("a", "three", { count: 8 }));
  assert.equal(rest.addresses.length, 6, "three of its own, three of the other's");
  assert.deepEqual(rest.messages, ["No IPs available in pools: [10.0.0.0/29]"]);
  assert.equal((await allocations(store)).size, 8);
  const owners = (await store.list("IPAMBlock")).items.map((block) => block.spec.affinity);
  assert.deepEqual(owners.sort(), ["host:a", "host:b"]);
  await assertConsistent(store, { exact: true });
});

test("strict affinity borrows nothing and says so", async () => {
  const { ipam } = await world([{ cidr: "10.0.0.0/29", blockSize: 30 }], {
    strictAffinity: true,
    autoAllocateBlocks: true,
  });
  await ipam.autoAssign(pod("a", "one"));
  const other = await ipam.autoAssign(pod("b", "two"));
  const rest = await ipam.autoAssign(pod("a", "three", { count: 8 }));
  assert.equal(rest.addresses.length, 3);
  assert.match(rest.messages[0]!, /strict affinity/);
  await assert.rejects(
    ipam.assignIp({ ...pod("a", "x"), address: (Number(other.addresses[0]) + 1) as never }),
    (error) => hasCode(error, "IPAM_STRICT_AFFINITY"),
  );
});

test("the block limit is a hard failure that leaves nothing allocated", async () => {
  const { ipam, store } = await world([{ cidr: "10.0.0.0/24", blockSize: 30 }], {
    strictAffinity: true,
    autoAllocateBlocks: true,
    maxBlocksPerHost: 2,
  });
  await assert.rejects(ipam.autoAssign(pod("a", "one", { count: 9 })), (error) => {
    assert.ok(hasCode(error, "IPAM_BLOCK_LIMIT"));
    assert.match(error.message, /^cannot allocate new block due to per host block limit/);
    return true;
  });
  assert.equal((await allocations(store)).size, 0);
  assert.equal((await ipam.autoAssign(pod("a", "two", { count: 8 }))).addresses.length, 8);
  await assert.rejects(
    ipam.autoAssign(pod("b", "three", { count: 5, maxBlocksPerHost: 1 })),
    (error) => hasCode(error, "IPAM_BLOCK_LIMIT"),
  );
  await assertConsistent(store, { exact: true });
});

test("without a configured limit a host claims twenty blocks", async () => {
  const { ipam } = await world([{ cidr: "10.0.0.0/24", blockSize: 30 }]);
  await assert.rejects(ipam.autoAssign(pod("a", "one", { count: 81 })), (error) =>
    hasCode(error, "IPAM_BLOCK_LIMIT"),
  );
  assert.equal((await ipam.autoAssign(pod("a", "one", { count: 80 }))).addresses.length, 80);
});

test("autoAllocateBlocks off claims no new block", async () => {
  const { ipam } = await world([POOL], { strictAffinity: true, autoAllocateBlocks: false });
  await assert.rejects(ipam.autoAssign(pod("a", "one")), /failed to find or claim a block/);
  await ipam.claimAffinity({ node: "a", cidr: prefix("10.0.0.64/26") });
  assert.deepEqual(texts((await ipam.autoAssign(pod("a", "one"))).addresses), ["10.0.0.64"]);
});

test("an empty block of another host is taken after a minute, not before", async () => {
  const { ipam, store, clock } = await world([{ cidr: "10.0.0.0/30", blockSize: 30 }], {
    strictAffinity: true,
    autoAllocateBlocks: true,
  });
  await ipam.autoAssign(pod("a", "one"));
  await ipam.releaseByHandle("k8s-pod-network.one");
  await clock.advance(59_000);
  assert.deepEqual((await ipam.autoAssign(pod("b", "two"))).addresses, []);
  await clock.advance(1_000);
  assert.equal((await ipam.autoAssign(pod("b", "two"))).addresses.length, 1);
  const affinities = (await store.list("BlockAffinity")).items;
  assert.deepEqual(
    affinities.map(({ spec }) => `${spec.node} ${spec.state}`),
    ["b confirmed"],
  );
});

test("no pool at all", async () => {
  const { ipam } = await world([]);
  await assert.rejects(
    ipam.autoAssign(pod("a", "one")),
    /^SwitchyardError: no configured Calico pools for node a$/,
  );
});

test("assignIp takes the address it is told, once", async () => {
  const { ipam, store } = await world([POOL, { cidr: "10.1.0.0/24", allowedUses: ["Workload"] }]);
  const address = ipAddress("10.0.0.70");
  await ipam.assignIp({ ...pod("a", "one"), address });
  assert.equal((await store.list("IPAMBlock")).items[0]!.spec.cidr, "10.0.0.64/26");
  assert.equal((await ipam.allocationOf(address)).kind, "allocated");
  await assert.rejects(ipam.assignIp({ ...pod("b", "two"), address }), (error) => {
    assert.ok(hasCode(error, "RESOURCE_ALREADY_EXISTS"));
    assert.equal(
      error.message,
      "resource already exists: 10.0.0.70 with error: Address already assigned in block",
    );
    return true;
  });
  await ipam.assignIp({ ...pod("b", "two"), address: ipAddress("10.0.0.71") });
  await assert.rejects(
    ipam.assignIp({ ...pod("a", "x"), address: ipAddress("192.0.2.1") }),
    /The provided IP address 192\.0\.2\.1 is not in a configured pool$/,
  );
  await assert.rejects(
    ipam.assignIp({ ...pod("a", "x", { use: "Tunnel" }), address: ipAddress("10.1.0.1") }),
    (error) => hasCode(error, "IPAM_NO_POOL"),
  );
  await assertConsistent(store, { exact: true });
});

test("release checks handle and sequence number, and tells what was not allocated", async () => {
  const { ipam, store } = await world([POOL]);
  const { addresses } = await ipam.autoAssign(pod("a", "one", { count: 2 }));
  const [first, second] = addresses as [IpAddress, IpAddress];
  const allocation = await ipam.allocationOf(first);
  assert.ok(allocation.kind === "allocated");
  await assert.rejects(
    ipam.releaseIps([{ address: first, handle: "other" }, { address: second }]),
    /^SwitchyardError: the given handle \(other\) does not match \(k8s-pod-network\.one\) when attempting to release IP$/,
  );
  await assert.rejects(
    ipam.releaseIps([{ address: first, sequenceNumber: 7n }]),
    new RegExp(
      `the given sequence number \\(7\\) does not match \\(${allocation.sequenceNumber}\\)`,
    ),
  );
  assert.equal((await allocations(store)).size, 2, "a bad request fails its whole block");
  const { sequenceNumber } = allocation;
  const never = ipAddress("10.0.0.200");
  const outside = ipAddress("192.0.2.1");
  const released = await ipam.releaseIps([
    { address: first, handle: "k8s-pod-network.one\rjunk", sequenceNumber },
    { address: never },
    { address: outside },
  ]);
  assert.deepEqual(new Set(released.unallocated), new Set([never, outside]));
  assert.deepEqual(await ipam.releaseIps([{ address: first }]), { unallocated: [first] });
  await assertConsistent(store, { exact: true });
  await ipam.releaseByHandle("k8s-pod-network.one");
  assert.equal((await store.list("IPAMHandle")).items.length, 0);
  await assert.rejects(ipam.releaseByHandle("k8s-pod-network.one"), (error) => {
    assert.ok(hasCode(error, "RESOURCE_NOT_FOUND"));
    assert.match(error.message, /IPAMHandleKey\(id=k8s-pod-network\.one\)/);
    return true;
  });
});

test("an address in cooldown is neither free nor releasable until its time is over", async () => {
  const { ipam, store, clock } = await world([{ cidr: "10.0.0.0/32", blockSize: 32 }], {
    ipCooldownSeconds: 30,
    autoAllocateBlocks: true,
  });
  const address = ipAddress("10.0.0.0");
  await ipam.assignIp({ ...pod("a", "one"), address });
  await ipam.releaseByHandle("k8s-pod-network.one");
  await clock.advance(29_000);
  assert.equal((await ipam.allocationOf(address)).kind, "cooldown");
  assert.deepEqual((await ipam.autoAssign(pod("a", "two"))).addresses, []);
  await assert.rejects(ipam.assignIp({ ...pod("a", "two"), address }), (error) =>
    hasCode(error, "RESOURCE_ALREADY_EXISTS"),
  );
  assert.deepEqual(await ipam.releaseIps([{ address }]), { unallocated: [address] });
  await clock.advance(1_000);
  assert.deepEqual((await ipam.autoAssign(pod("a", "two"))).addresses, [address]);
  await assertConsistent(store, { exact: true });
});

test("a released affinity leaves addresses in a block without owner, which goes with the last", async () => {
  const { ipam, store } = await world([POOL]);
  const { addresses } = await ipam.autoAssign(pod("a", "one"));
  const block = (await store.list("IPAMBlock")).items[0]!;
  const cidr = prefix(block.spec.cidr);
  await assert.rejects(ipam.releaseAffinity({ node: "a", cidr, requireEmpty: true }), (error) => {
    assert.ok(hasCode(error, "RESOURCE_CONFLICT"));
    assert.ok(error.message.includes(formatPrefix(cidr)));
    return true;
  });
  await ipam.releaseHostAffinities("a");
  assert.equal((await store.list("BlockAffinity")).items.length, 0);
  assert.equal((await store.list("IPAMBlock")).items[0]!.spec.affinity ?? undefined, undefined);
  assert.deepEqual(await ipam.claimAffinity({ node: "b", cidr }), { claimed: [], failed: [cidr] });
  await ipam.releaseIps(addresses.map((address) => ({ address })));
  assert.equal((await store.list("IPAMBlock")).items.length, 0);
  assert.equal((await store.list("IPAMHandle")).items.length, 0);
});

test("claimAffinity claims every block of a range; the pool's affinities are released at once", async () => {
  const { ipam, store } = await world([POOL]);
  await ipam.claimAffinity({ node: "b", cidr: prefix("10.0.0.64/26") });
  const result = await ipam.claimAffinity({ node: "a", cidr: prefix("10.0.0.0/24") });
  assert.equal(result.claimed.length, 3);
  assert.deepEqual(result.failed.map(formatPrefix), ["10.0.0.64/26"]);
  await assert.rejects(ipam.claimAffinity({ node: "a", cidr: prefix("10.0.0.0/27") }), (error) =>
    hasCode(error, "INVALID_ARGUMENT"),
  );
  await assert.rejects(ipam.claimAffinity({ node: "a", cidr: prefix("10.9.0.0/26") }), (error) =>
    hasCode(error, "IPAM_NO_POOL"),
  );
  await ipam.releasePoolAffinities(prefix("10.0.0.0/24"));
  assert.equal((await store.list("BlockAffinity")).items.length, 0);
  assert.equal((await store.list("IPAMBlock")).items.length, 0);
});

test("objects another client has half deleted count as absent and are finished off", async () => {
  const { ipam, store } = await world([{ cidr: "10.0.0.0/30", blockSize: 30 }]);
  await ipam.autoAssign(pod("a", "one"));
  for (const kind of ["IPAMBlock", "BlockAffinity", "IPAMHandle"] as const) {
    const item = (await store.list(kind)).items[0]!;
    await store.update({ ...item, spec: { ...item.spec, deleted: true } } as never);
  }
  const { addresses } = await ipam.autoAssign(pod("b", "two"));
  assert.equal(addresses.length, 1);
  assert.deepEqual(await ipam.addressesOfHandle("k8s-pod-network.one"), []);
  await assertConsistent(store, { exact: true });
});
