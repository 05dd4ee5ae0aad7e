/** Routes as text, row by row; test/kernel holds the same function against `ip route`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ipAddress, ipv4, prefix } from "../lib/index.ts";
import { formatRoute } from "./format-route.ts";
import type { Route } from "./types.ts";

const names = new Map([
  [2, "eth0"],
  [3, "tunl0"],
  [4, "cali123"],
]);

const rows: readonly [string, Partial<Route>][] = [
  [
    "blackhole 10.244.1.0/26 proto bird",
    { type: "blackhole", destination: prefix("10.244.1.0/26") },
  ],
  [
    "10.244.2.0/26 via 172.139.20.76 dev tunl0 proto bird onlink",
    { gateway: ipv4("172.139.20.76"), device: 3, onlink: true },
  ],
  [
    "10.244.1.2 dev cali123 scope link",
    { destination: prefix("10.244.1.2/32"), device: 4, protocol: 3 },
  ],
  [
    "default via 10.0.0.1 dev eth0 proto static",
    { destination: prefix("0.0.0.0/0"), gateway: ipv4("10.0.0.1"), device: 2, protocol: 4 },
  ],
  ["10.244.2.0/26 dev if9 proto 80 scope link", { device: 9, protocol: 80 }],
  [
    "10.244.2.0/26 via 10.0.0.1 proto bird metric 32 mtu 1400",
    { gateway: ipv4("10.0.0.1"), metric: 32, mtu: 1400 },
  ],
  [
    "10.244.2.0/26 dev eth0 table 1000 proto bird scope link src 10.0.0.5",
    { device: 2, table: 1000, source: ipv4("10.0.0.5") },
  ],
  [
    "local 10.244.2.0/26 dev eth0 table local proto kernel scope host",
    { type: "local", device: 2, protocol: 2 },
  ],
  [
    "10.244.2.0/26 via 10.0.0.1 dev eth0 proto bird dead onlink linkdown",
    { gateway: ipv4("10.0.0.1"), device: 2, onlink: true, flags: ["dead", "linkdown"] },
  ],
  [
    "10.244.2.0/26 via inet6 fe80::1 dev eth0 proto bird",
    { gateway: ipAddress("fe80::1"), device: 2 },
  ],
  [
    "blackhole fd00::/64 dev lo proto 80 metric 1024 pref medium",
    {
      type: "blackhole",
      destination: prefix("fd00::/64"),
      device: 1,
      protocol: 80,
      metric: 1024,
      preference: "medium",
    },
  ],
  [
    "10.244.2.0/26 proto bird\n\tnexthop via 10.0.0.1 dev eth0 weight 1\n\tnexthop via 10.0.0.2 dev tunl0 weight 2 onlink",
    {
      nextHops: [
        { gateway: ipv4("10.0.0.1"), device: 2 },
        { gateway: ipv4("10.0.0.2"), device: 3, weight: 2, onlink: true },
      ],
    },
  ],
];

for (const [text, rest] of rows) {
  test(text.replace(/\n\t/g, " / "), () => {
    const route: Route = {
      type: "unicast",
      destination: prefix("10.244.2.0/26"),
      protocol: 12,
      ...rest,
    };
    const linkName = (index: number) => (index === 1 ? "lo" : names.get(index));
    assert.equal(formatRoute(route, linkName), text);
  });
}
