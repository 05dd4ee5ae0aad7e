import assert from "node:assert/strict";
import { test } from "node:test";
import { ipv4, prefix4 } from "../lib/index.ts";
import { type AwaitedAddressInput, awaitsAddress } from "./awaited-address.ts";
import { nodeResource, poolResource } from "./testing.ts";

const bare: AwaitedAddressInput["plan"] = {
  ipip: {
    device: "tunl0",
    mtu: 1480,
    local: ipv4("172.139.20.75"),
    uplink: "eth0",
    accept: true,
    senders: [],
    destinations: [],
  },
  addresses: [],
};
const full = { ...bare, addresses: [{ device: "tunl0", prefix: prefix4("10.244.1.0/32") }] };
const node = nodeResource("node1", "172.139.20.75/24", { rack: "20" });

test("a tunnel waits for the address that a pool will give it", () => {
  const pools = [poolResource()];
  assert.equal(awaitsAddress("ipip", { plan: bare, node, pools }), true);
  assert.equal(awaitsAddress("ipip", { plan: full, node, pools }), false);
  assert.equal(awaitsAddress("vxlan", { plan: bare, node, pools }), false, "no pool asks for it");
  const { ipip: _, ...without } = bare;
  assert.equal(awaitsAddress("ipip", { plan: without, node, pools }), false, "no device");
});

test("it does not wait where no pool serves the node", () => {
  const pools = [poolResource({ nodeSelector: "rack == '30'" })];
  assert.equal(awaitsAddress("ipip", { plan: bare, node, pools }), false);
});

test("an address on another device does not help", () => {
  const addresses = [{ device: "vxlan.calico", prefix: prefix4("10.244.1.1/32") }];
  const pools = [poolResource()];
  assert.equal(awaitsAddress("ipip", { plan: { ...bare, addresses }, node, pools }), true);
});
