/** Which states are refused, and in what words. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { type Ipv4, ipv4, prefix4 } from "../../lib/index.ts";
import { checkIpipState } from "./state.ts";
import type { IpipState } from "./types.ts";

const node = ipv4("172.139.20.76");
const good: IpipState = {
  device: "tunl0",
  mtu: 1480,
  uplink: 2,
  uplinkMac: "02:00:00:00:00:01",
  local: ipv4("172.139.20.75"),
  accept: true,
  senders: [node],
  destinations: [
    { prefix: prefix4("10.244.2.0/26"), node },
    { prefix: prefix4("10.244.2.0/26"), node },
    { prefix: prefix4("0.0.0.0/0"), node },
    { prefix: prefix4("10.244.2.1/32"), node: ipv4("172.139.20.77") },
  ],
};

it("takes what a kernel can hold, a repeated destination too", () => {
  checkIpipState(good, "tunl0");
  checkIpipState({ ...good, senders: [], destinations: [], accept: false }, "tunl0");
});

const long = "a".repeat(16);
const to = (text: string, via: Ipv4 = node) => [{ prefix: prefix4(text), node: via }];
const refused: readonly [name: string, change: Partial<IpipState>, words: string][] = [
  ["another device", { device: "tunl1" }, "device must be tunl0, not tunl1"],
  ["a name too long", { device: long }, `device must be a device name, not "${long}"`],
  ["a path", { device: "a/b" }, 'device must be a device name, not "a/b"'],
  ["an MTU below IPv4's", { mtu: 67 }, "mtu must be between 68 and 65535, not 67"],
  ["an MTU above IPv4's", { mtu: 65_536 }, "mtu must be between 68 and 65535, not 65536"],
  ["a broken MTU", { mtu: 1480.5 }, "mtu must be between 68 and 65535, not 1480.5"],
  ["no uplink", { uplink: 0 }, "uplink must be an interface index, not 0"],
  [
    "a short MAC",
    { uplinkMac: "02:00" },
    'uplinkMac must be a MAC address in lower case, not "02:00"',
  ],
  ["no address", { local: 0 as Ipv4 }, "local must be a unicast address, not 0.0.0.0"],
  [
    "a multicast sender",
    { senders: [ipv4("224.0.0.1")] },
    "senders must be unicast addresses, not 224.0.0.1",
  ],
  [
    "host bits",
    { destinations: to("10.244.2.1/26") },
    "destinations must be prefixes without host bits, not 10.244.2.1/26",
  ],
  [
    "a length beyond 32",
    { destinations: [{ prefix: { address: node, length: 33 }, node }] },
    "destinations must be prefixes without host bits, not 172.139.20.76/33",
  ],
  [
    "a destination behind ourselves",
    { destinations: to("10.244.2.0/26", good.local) },
    "destinations must be behind another node, not 10.244.2.0/26 via 172.139.20.75",
  ],
  [
    "a destination behind two nodes",
    { destinations: [...to("10.244.2.0/26"), ...to("10.244.2.0/26", ipv4("172.139.20.77"))] },
    "destinations must be behind one node each, not 10.244.2.0/26 via 172.139.20.76 and 172.139.20.77",
  ],
];

for (const [name, change, words] of refused) {
  it(`refuses ${name}`, () => {
    assert.throws(() => checkIpipState({ ...good, ...change }, "tunl0"), {
      code: "INVALID_ARGUMENT",
      message: `ipip tunnel: ${words}`,
    });
  });
}
