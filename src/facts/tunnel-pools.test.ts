import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatPrefix } from "../lib/index.ts";
import type { IPPoolSpec } from "../model/index.ts";
import { poolResource } from "./testing/resources.ts";
import { eligibleTunnelPools, type Tunnel } from "./tunnel-pools.ts";

const labels = { rack: "20" };
const eligible = (spec: Partial<IPPoolSpec>, tunnel: Tunnel = "ipip") =>
  eligibleTunnelPools({ pools: [poolResource(spec)], labels, tunnel }).map(formatPrefix);
const yes = ["10.244.0.0/16"];

describe("pools for a tunnel address", () => {
  const cases: [string, Partial<IPPoolSpec>, string[]][] = [
    ["an ordinary pool", {}, yes],
    ["CrossSubnet uses the tunnel too", { ipipMode: "CrossSubnet" }, yes],
    ["another encapsulation", { ipipMode: "Never", vxlanMode: "Always" }, []],
    ["none", { ipipMode: "Never" }, []],
    ["disabled", { disabled: true }, []],
    ["for workloads only", { allowedUses: ["Workload"] }, []],
    ["for tunnels only", { allowedUses: ["Tunnel"] }, yes],
    ["no use named", { allowedUses: [] }, yes],
    ["all nodes", { nodeSelector: "all()" }, yes],
    ["an empty selector", { nodeSelector: " " }, yes],
    ["this node", { nodeSelector: "rack == '20'" }, yes],
    ["other nodes", { nodeSelector: "rack == '30'" }, []],
    ["nodes without the label", { nodeSelector: "!has(rack)" }, []],
    ["a selector that cannot be read", { nodeSelector: "rack ==" }, []],
    ["IPv6", { cidr: "fd00::/64" }, []],
  ];
  for (const [name, spec, expected] of cases) {
    it(name, () => assert.deepEqual(eligible(spec), expected));
  }

  it("being deleted", () => {
    const pool = poolResource();
    const deletionTimestamp = "2026-01-01T00:00:00Z";
    const pools = [{ ...pool, metadata: { ...pool.metadata, deletionTimestamp } }];
    assert.deepEqual(eligibleTunnelPools({ pools, labels, tunnel: "ipip" }), []);
  });

  it("vxlan", () => {
    assert.deepEqual(eligible({ ipipMode: "Never", vxlanMode: "CrossSubnet" }, "vxlan"), yes);
    assert.deepEqual(eligible({}, "vxlan"), []);
    const six: Partial<IPPoolSpec> = { cidr: "fd00::/64", ipipMode: "Never", vxlanMode: "Always" };
    assert.deepEqual(eligible(six, "vxlan"), []);
    assert.deepEqual(eligible(six, "vxlan-v6"), ["fd00::/64"]);
  });
});
