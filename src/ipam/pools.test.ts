/** Which pools serve which node, namespace and use. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, hasCode, type IpAddress, prefix } from "../lib/index.ts";
import type { AutoAssignRequest } from "./auto-assign.ts";
import { put, world } from "./ipam.test-support.ts";

function pod(node: string, name: string, more: Partial<AutoAssignRequest> = {}): AutoAssignRequest {
  return {
    count: 1,
    handle: `k8s-pod-network.${name}`,
    attributes: { node },
    node,
    use: "Workload",
    ...more,
  };
}

function texts(addresses: readonly IpAddress[]): string[] {
  return addresses.map(formatAddress);
}

test("which pools serve a request", async () => {
  const { ipam, store } = await world([
    { cidr: "10.0.0.0/24", disabled: true },
    { cidr: "10.0.1.0/24", assignmentMode: "Manual" },
    { cidr: "10.0.2.0/24", allowedUses: ["Tunnel"] },
    { cidr: "10.0.3.0/24", nodeSelector: "rack == 'r1'" },
    { cidr: "fd00::/64" },
    {
      cidr: "10.0.5.0/24",
      namespaceSelector: "team == 'blue'",
      nodeSelector: "rack == 'r3'",
      allowedUses: ["Workload"],
    },
    { cidr: "10.0.4.0/24", allowedUses: [] },
  ]);
  await put(store, "Node", { name: "n1", spec: {}, labels: { rack: "r1" } });
  await put(store, "Node", { name: "n3", spec: {}, labels: { rack: "r3" } });
  await put(store, "Node", { name: "n2", spec: {}, labels: { rack: "r2" } });
  const net = (result: { addresses: IpAddress[] }) =>
    texts(result.addresses).map((text) => text.replace(/[.:][^.:]+$/, ""));
  const rows: [string, Partial<AutoAssignRequest>, string][] = [
    ["n1", {}, "10.0.3"],
    ["n2", {}, "10.0.4"],
    ["n4", { use: "Tunnel" }, "10.0.2"],
    ["n2", { pools: [prefix("10.0.1.0/24")] }, "10.0.1"],
    ["n2", { pools: [prefix("10.0.3.0/24")] }, "10.0.3"],
    ["n6", { pools: [prefix("10.0.4.0/24"), prefix("10.0.1.0/24")] }, "10.0.4"],
    ["n2", { family: 6 }, "fd00:"],
    ["n3", { namespaceLabels: { team: "blue" } }, "10.0.5"],
    ["n3", {}, "10.0.4"],
    ["n5", { namespaceLabels: { team: "blue" } }, "10.0.4"],
  ];
  for (const [index, [node, more, expected]] of rows.entries()) {
    const result = await ipam.autoAssign(pod(node, `p${index}`, more));
    assert.ok(net(result)[0]?.startsWith(expected), `${node} ${index}: ${net(result)}`);
  }
  const refusals: [Partial<AutoAssignRequest>, RegExp][] = [
    [{ pools: [prefix("10.0.0.0/24")] }, /the given pool \(10\.0\.0\.0\/24\) does not exist/],
    [{ pools: [prefix("10.0.4.0/25")] }, /the given pool \(10\.0\.4\.0\/25\) does not exist/],
    [{ pools: [prefix("10.0.2.0/24")] }, /allow the use Workload/],
    [{ use: "LoadBalancer" }, /allow the use LoadBalancer/],
  ];
  for (const [more, message] of refusals) {
    await assert.rejects(ipam.autoAssign(pod("n2", "refused", more)), (error) => {
      assert.ok(hasCode(error, "IPAM_NO_POOL"));
      assert.match(error.message, message);
      return true;
    });
  }
});

test("a block in a pool that serves the node no more is let go when it is empty", async () => {
  const { ipam, store } = await world([
    { cidr: "10.0.0.0/24", nodeSelector: "rack == 'r1'" },
    { cidr: "10.0.1.0/24" },
  ]);
  const node = await put(store, "Node", { name: "a", spec: {}, labels: { rack: "r1" } });
  await ipam.autoAssign(pod("a", "one"));
  await ipam.autoAssign(pod("a", "two"));
  await store.update({ ...node, metadata: { ...node.metadata, labels: { rack: "r2" } } });
  const elsewhere = await ipam.autoAssign(pod("a", "three"));
  assert.match(formatAddress(elsewhere.addresses[0]!), /^10\.0\.1\./);
  await ipam.releaseByHandle("k8s-pod-network.one");
  assert.equal((await store.list("IPAMBlock")).items.length, 2, "still in use");
  await ipam.releaseByHandle("k8s-pod-network.two");
  const left = (await store.list("IPAMBlock")).items.map((block) => block.spec.cidr);
  assert.equal(left.length, 1);
  assert.match(left[0]!, /^10\.0\.1\./);
});
