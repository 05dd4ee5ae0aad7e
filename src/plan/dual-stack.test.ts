import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPrefix, isPrefix4, prefix } from "../lib/index.ts";
import { renderPlan } from "./objects.ts";
import { plan } from "./plan.ts";
import { renderRoute } from "./render.ts";
import { dualStackSnapshot, pool6Fact, poolFact, snapshot } from "./testing/snapshot.ts";
import type { PoolFacts, Snapshot } from "./types.ts";

const routes6 = (input: Snapshot) =>
  plan(input)
    .routes.filter(({ destination }) => !isPrefix4(destination))
    .map(renderRoute);

const own = [
  "blackhole fd00:244::100/122 dev lo proto bird metric 1024 pref medium",
  "fd00:244::102 dev cali0123456789a metric 1024 pref medium",
];
const vxlan = (block: string) => [
  `fd00:244::${block} dev vxlan-v6.calico proto 80 metric 1024 pref medium`,
  `fd00:244::${block}/122 via fd00:244::${block} dev vxlan-v6.calico proto 80 metric 1024 onlink pref medium`,
];
const plain = (block: string, via: string, protocol: string) =>
  `fd00:244::${block}/122 via 2001:db8:20::${via} dev eth0 proto ${protocol} metric 1024 pref medium`;

const modes: { name: string; pool: Partial<PoolFacts>; remote: string[] }[] = [
  {
    name: "VXLAN Always",
    pool: { vxlanMode: "Always" },
    remote: [...vxlan("200"), ...vxlan("300"), ...vxlan("400")],
  },
  {
    name: "VXLAN CrossSubnet",
    pool: { vxlanMode: "CrossSubnet" },
    remote: [plain("200", "76", "80"), ...vxlan("300"), ...vxlan("400")],
  },
  {
    name: "None",
    pool: {},
    remote: [plain("200", "76", "bird"), plain("300", "1", "bird"), plain("400", "1", "bird")],
  },
  {
    name: "IPIP, which IPv6 has not,",
    pool: { ipipMode: "Always" },
    remote: [plain("200", "76", "bird"), plain("300", "1", "bird"), plain("400", "1", "bird")],
  },
];

for (const { name, pool, remote } of modes) {
  test(`IPv6 routes of ${name}`, () => {
    const pools = [poolFact(), pool6Fact(pool)];
    assert.deepEqual(routes6(dualStackSnapshot({ pools })), [...own, ...remote]);
  });
}

test("the plan of IPv4 is the same with IPv6 beside it", () => {
  const alone = renderPlan(plan(snapshot()));
  const both = new Set(renderPlan(plan(dualStackSnapshot())));
  assert.deepEqual(
    alone.filter((line) => !both.has(line)),
    [],
  );
});

test("VXLAN of each family has its own device, MAC, MTU, address, neighbours and allow-list", () => {
  const { vxlan, vxlan6, addresses, firewall, firewall6 } = plan(dualStackSnapshot());
  assert.deepEqual(
    [vxlan?.mtu, vxlan6?.mtu, vxlan6?.device, vxlan6?.mac, vxlan6?.parent],
    [1450, 1430, "vxlan-v6.calico", "66:00:00:00:06:01", "eth0"],
  );
  assert.deepEqual(
    addresses.map(({ device, prefix }) => `${device} ${formatPrefix(prefix)}`),
    ["tunl0 10.244.1.0/32", "vxlan.calico 10.244.1.1/32", "vxlan-v6.calico fd00:244::100/128"],
  );
  assert.equal(vxlan6?.neighbours.length, 3);
  assert.ok(vxlan6?.neighbours.every(({ address, node }) => typeof address === typeof node));
  assert.deepEqual(firewall6?.vxlanSenders?.map(formatPrefix), [
    "2001:db8:20::76/128",
    "2001:db8:30::75/128",
    "2001:db8:30::76/128",
  ]);
  assert.equal(firewall6?.ipipSenders, undefined);
  assert.deepEqual([firewall6?.tunnels, firewall.tunnels.length], [["vxlan-v6.calico"], 2]);
  assert.deepEqual(firewall6?.masqueradedPools.map(formatPrefix), ["fd00:244::/64"]);
  assert.deepEqual(firewall.pools.map(formatPrefix), ["10.244.0.0/16"]);
});

test("service addresses are each family's own", () => {
  const cidrs = [prefix("10.96.0.0/12"), prefix("fd00:96::/112")];
  const { settings } = dualStackSnapshot();
  const unserved = { cidrs, action: "drop" } as const;
  const both = plan(dualStackSnapshot({ settings: { ...settings, unserved } }));
  assert.deepEqual(both.firewall.unserved?.cidrs.map(formatPrefix), ["10.96.0.0/12"]);
  assert.deepEqual(both.firewall6?.unserved?.cidrs.map(formatPrefix), ["fd00:96::/112"]);
  const four = { ...unserved, cidrs: cidrs.slice(0, 1) };
  const one = plan(dualStackSnapshot({ settings: { ...settings, unserved: four } }));
  assert.equal(one.firewall6?.unserved, undefined);
});

test("a node that accepts VXLAN of IPv4 is not sent VXLAN of IPv6, and the other way round", () => {
  const only = (accepts: "vxlan" | "vxlan-v6") => {
    const base = dualStackSnapshot();
    const nodes = base.nodes.map((node) => ({ ...node, accepts: ["none", accepts] as const }));
    const pools = [
      poolFact({ ipipMode: "Never", vxlanMode: "Always" }),
      pool6Fact({ vxlanMode: "Always" }),
    ];
    const { destinations } = plan(dualStackSnapshot({ nodes, pools }));
    return new Set(destinations.map(({ pool, chosen }) => `${pool} ${chosen}`));
  };
  assert.deepEqual(
    only("vxlan"),
    new Set(["default-ipv4-ippool vxlan", "default-ipv6-ippool undefined"]),
  );
  assert.deepEqual(
    only("vxlan-v6"),
    new Set(["default-ipv4-ippool undefined", "default-ipv6-ippool vxlan-v6"]),
  );
});

test("a node without IPv6 is no destination of IPv6, and has no IPv6 plan", () => {
  const base = dualStackSnapshot();
  const nodes = base.nodes.map(({ ipv6, ...node }) =>
    node.name === "node2" ? node : { ...node, ...(ipv6 && { ipv6 }) },
  );
  const seen = plan(dualStackSnapshot({ nodes }));
  assert.ok(seen.destinations.some(({ node, prefix }) => node === "node2" && isPrefix4(prefix)));
  assert.ok(!seen.destinations.some(({ node, prefix }) => node === "node2" && !isPrefix4(prefix)));
  const own = plan(dualStackSnapshot({ nodes, node: "node2" }));
  assert.equal(own.firewall6 ?? own.vxlan6, undefined);
  assert.ok(own.destinations.every((destination) => isPrefix4(destination.prefix)));
  assert.ok(own.sysctls.every(({ path }) => !path.startsWith("net/ipv6/conf/all")));
});

test("a node without IPv4 carries IPv6", () => {
  const base = dualStackSnapshot();
  const nodes = base.nodes.map(({ ipv4: _, ...node }) => node);
  const uplink = { ...base.host.uplink, name: "eth6" };
  const { uplink6: _, ...host } = { ...base.host, uplink };
  const only = plan(dualStackSnapshot({ nodes, host }));
  assert.equal(only.ipip ?? only.vxlan, undefined);
  assert.deepEqual([only.vxlan6?.parent, only.vxlan6?.neighbours.length], ["eth6", 3]);
  assert.deepEqual(
    new Set(only.destinations.map(({ pool, chosen }) => `${pool} ${chosen}`)),
    new Set(["default-ipv6-ippool vxlan-v6"]),
  );
});

test("a host that hears routers goes on hearing them when it begins to forward", () => {
  const paths = plan(dualStackSnapshot()).sysctls.map(({ path }) => path);
  const heard = paths.indexOf("net/ipv6/conf/eth0/accept_ra");
  assert.ok(heard >= 0 && heard < paths.indexOf("net/ipv6/conf/all/forwarding"));
});

test("an address borrowed from another node's block has a route of its own, in every mode", () => {
  const borrowed = [
    { prefix: prefix("10.244.2.7/32"), node: "node3" },
    { prefix: prefix("fd00:244::207/128"), node: "node3" },
  ];
  const base = dualStackSnapshot();
  const input = dualStackSnapshot({ blocks: [...base.blocks, ...borrowed] });
  const lines = plan(input).routes.map(renderRoute);
  assert.ok(
    lines.includes(
      "fd00:244::207 via fd00:244::300 dev vxlan-v6.calico proto 80 metric 1024 onlink pref medium",
    ),
  );
  // IP-in-IP is given by BGP: node3 has not told of it yet.
  assert.ok(!lines.some((line) => line.startsWith("10.244.2.7 ")));
  const learned = [
    ...base.learned,
    { prefix: prefix("10.244.2.7/32"), nextHop: base.nodes[2]!.ipv4!.address },
  ];
  const told = plan({ ...input, learned }).routes.map(renderRoute);
  assert.ok(told.includes("10.244.2.7 via 172.139.30.75 dev tunl0 proto bird onlink"));
  // On the block's own node it overrides the blackhole.
  const owner = plan({ ...input, learned, node: "node2" }).routes.map(renderRoute);
  assert.ok(owner.includes("blackhole 10.244.2.0/26 proto bird"));
  assert.ok(owner.includes("10.244.2.7 via 172.139.30.75 dev tunl0 proto bird onlink"));
});
