import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Ipv6, ipAddress, ipv4 } from "../lib/index.ts";
import type { EncapMode } from "../model/index.ts";
import type { NodeFacts } from "../plan/index.ts";
import { resolveMasks } from "./node-masks.ts";

const fact = (name: string, address: string, prefixLength: number): NodeFacts => ({
  name,
  ipv4: { address: ipv4(address), prefixLength, vxlanMac: "66:00:00:00:00:01" },
});
const here = (length: number) => fact("node1", "172.139.20.75", length);
const near = (length: number) => fact("node2", "172.139.20.76", length);
const far = (length: number) => fact("node3", "172.139.30.75", length);

function resolve(nodes: NodeFacts[], given: { held?: number; ipipMode?: EncapMode } = {}) {
  const { held = 24, ipipMode = "CrossSubnet" } = given;
  const { nodes: resolved, warnings } = resolveMasks({
    node: "node1",
    nodes,
    pools: [{ ipipMode, vxlanMode: "Never" }],
    host: {
      uplink: { name: "eth0", index: 2, mac: "02:00:00:00:00:01", mtu: 1500, prefixLength: held },
    },
  });
  return { lengths: resolved.map((node) => node.ipv4?.prefixLength), warnings };
}

describe("masks of node addresses", () => {
  it("are what is stored, where a mask is stored", () => {
    assert.deepEqual(resolve([here(25), near(24)], { held: 24 }), {
      lengths: [25, 24],
      warnings: [],
    });
  });

  it("come from the device for the local node stored without one", () => {
    assert.deepEqual(resolve([here(32), near(24)]), {
      lengths: [24, 24],
      warnings: [
        "Node node1: spec.bgp.ipv4Address 172.139.20.75 has no mask: CrossSubnet goes by the /24 of eth0; store 172.139.20.75/24",
      ],
    });
  });

  it("say so where the device has none either", () => {
    const { lengths, warnings } = resolve([here(32)], { held: 32 });
    assert.deepEqual(lengths, [32]);
    assert.match(warnings[0] ?? "", /and eth0 has none either: CrossSubnet encapsulates to every/);
  });

  it("of other nodes change nothing here, and are named", () => {
    assert.deepEqual(resolve([here(24), near(32), far(32)]), {
      lengths: [24, 32, 32],
      warnings: [
        "Node node2: spec.bgp.ipv4Address 172.139.20.76 has no mask, which the CrossSubnet of an agent other than Switchyard's takes for a subnet of its own: store 172.139.20.76/24",
        "Node node3: spec.bgp.ipv4Address 172.139.30.75 has no mask, which the CrossSubnet of an agent other than Switchyard's takes for a subnet of its own",
      ],
    });
  });

  it("of IPv6 addresses come from the device too", () => {
    const six = {
      address: ipAddress("fd00:20::75") as Ipv6,
      prefixLength: 128,
      vxlanMac: "66:00:00:00:00:02",
    };
    const uplink = { name: "eth0", index: 2, mac: "02:00:00:00:00:01", mtu: 1500 };
    const { nodes, warnings } = resolveMasks({
      node: "node1",
      nodes: [{ ...here(24), ipv6: six }],
      pools: [{ ipipMode: "Never", vxlanMode: "CrossSubnet" }],
      host: { uplink, uplink6: { ...uplink, name: "eth1", prefixLength: 64 } },
    });
    assert.equal(nodes[0]?.ipv6?.prefixLength, 64);
    assert.equal(nodes[0]?.ipv4?.prefixLength, 24);
    assert.deepEqual(warnings, [
      "Node node1: spec.bgp.ipv6Address fd00:20::75 has no mask: CrossSubnet goes by the /64 of eth1; store fd00:20::75/64",
    ]);
  });

  it("are nobody's trouble without CrossSubnet", () => {
    assert.deepEqual(resolve([here(32), near(32)], { ipipMode: "Always" }), {
      lengths: [24, 32],
      warnings: [],
    });
  });
});
