import assert from "node:assert/strict";
import { test } from "node:test";
import { type Ipv4, ipAddress, ipv4, prefix } from "../lib/index.ts";
import type { EncapMode } from "../model/index.ts";
import { renderPlan } from "./objects.ts";
import { plan } from "./plan.ts";
import { Planner } from "./planner.ts";
import { dualStackSnapshot, nodeFact, pool6Fact, poolFact, snapshot } from "./testing/snapshot.ts";
import type { Snapshot } from "./types.ts";

/** node1 proves a new mode; node2 in its subnet and node3 beyond can be probed, node4 not yet. */
function proving(modes: { ipipMode?: EncapMode; vxlanMode?: EncapMode }): Snapshot {
  const pool = poolFact({ ipipMode: "Never", ...modes });
  const nodes = ["node1", "node2", "node3", "node4"].map((name) => ({
    ...nodeFact(name),
    ...(name !== "node4" && { probeAddress: ipv4(`10.244.${name.slice(-1)}.9`) }),
  }));
  return snapshot({ nodes, probeAddress: ipv4("10.244.1.9"), proof: { pool } });
}

const ofProof = (wanted: Snapshot) =>
  renderPlan(plan(wanted)).filter((line) => / (table|lookup) 17900| dev lo$/.test(line));

const rules = [
  "rule priority 90 from 10.244.1.9/32 ipproto udp sport 17900 lookup 17900",
  "rule priority 90 from 10.244.1.9/32 ipproto udp dport 17900 lookup 17900",
  "rule priority 90 from 10.244.1.9/32 ipproto tcp lookup 17900",
];
const refused = "route unreachable default table 17900 proto 80";

for (const { name, modes, routes } of [
  {
    name: "IP-in-IP",
    modes: { ipipMode: "Always" },
    routes: [
      "route 10.244.2.9/32 via 172.139.20.76 dev tunl0 table 17900 proto 80 onlink",
      "route 10.244.3.9/32 via 172.139.30.75 dev tunl0 table 17900 proto 80 onlink",
    ],
  },
  {
    name: "IP-in-IP between subnets",
    modes: { ipipMode: "CrossSubnet" },
    routes: [
      "route 10.244.2.9/32 via 172.139.20.76 dev eth0 table 17900 proto 80",
      "route 10.244.3.9/32 via 172.139.30.75 dev tunl0 table 17900 proto 80 onlink",
    ],
  },
  {
    name: "VXLAN",
    modes: { vxlanMode: "Always" },
    routes: [
      "route 10.244.2.9/32 via 10.244.2.1 dev vxlan.calico table 17900 proto 80 onlink",
      "route 10.244.3.9/32 via 10.244.3.1 dev vxlan.calico table 17900 proto 80 onlink",
    ],
  },
  {
    name: "plain routing",
    modes: {},
    routes: [
      "route 10.244.2.9/32 via 172.139.20.76 dev eth0 table 17900 proto 80",
      "route 10.244.3.9/32 via 172.139.20.1 dev eth0 table 17900 proto 80",
    ],
  },
] as const) {
  test(`the proof of ${name} has one route per partner, and refuses the rest`, () => {
    assert.deepEqual(ofProof(proving(modes)), [
      "address 10.244.1.9/32 dev lo",
      ...rules,
      refused,
      ...routes.map((line) => line.replace("/32 ", " ")),
    ]);
  });
}

test("a proof changes no workload route, and nothing is left of it afterwards", () => {
  const wanted = proving({ vxlanMode: "Always" });
  const { probeAddress: _, proof: __, ...before } = wanted;
  const lines = renderPlan(plan(wanted));
  const without = renderPlan(plan(before));
  const added = lines.filter((line) => !without.includes(line));
  assert.deepEqual(added, ofProof(wanted));
  assert.deepEqual(
    without.filter((line) => !lines.includes(line)),
    [],
  );
  assert.deepEqual(ofProof(before), []);
});

test("single blocks of a pool go another way than the rest", () => {
  const parts = [
    { cidr: prefix("10.244.3.0/26"), ipipMode: "Never", vxlanMode: "Always" },
    { cidr: prefix("10.244.4.0/26"), ipipMode: "Never", vxlanMode: "Never" },
  ] as const;
  const { routes, destinations } = plan(snapshot({ pools: [poolFact({ parts })] }));
  assert.deepEqual(
    destinations.map(({ wanted, chosen, pool }) => [wanted, chosen, pool]),
    ["ipip", "vxlan", "none"].map((way) => [way, way, "default-ipv4-ippool"]),
  );
  const remote = routes.filter(({ reason }) => reason.startsWith("block "));
  assert.deepEqual(
    remote.map(({ device, protocol }) => `${device} ${protocol}`),
    ["tunl0 12", "vxlan.calico 80", "eth0 12"],
  );
});

test("without an own probe address in the pool nothing is proved", () => {
  const { probeAddress: _, ...wanted } = proving({ ipipMode: "Always" });
  assert.equal(plan(wanted).proof, undefined);
  assert.equal(plan({ ...wanted, probeAddress: ipv4("192.0.2.1") }).proof, undefined);
});

test("the BPF device knows the nodes of partners' probe addresses, also the incremental planner's", () => {
  // A block that nobody has told of yet.
  const wanted = { ...proving({ ipipMode: "Always" }), blocks: [], learned: [] };
  const expected = [
    [ipv4("10.244.2.9"), ipv4("172.139.20.76")],
    [ipv4("10.244.3.9"), ipv4("172.139.30.75")],
  ];
  const shown = (destinations: readonly { prefix: { address: Ipv4 }; node: Ipv4 }[] = []) =>
    destinations.map(({ prefix: { address }, node }) => [address, node]);
  assert.deepEqual(shown(plan(wanted).ipip?.destinations), expected);
  const whole = proving({ ipipMode: "Always" });
  const steps = Planner.load(whole);
  for (;;) {
    const { done, value } = steps.next();
    if (!done) continue;
    const found = new Set(shown(value.plan.ipip?.destinations).map(String));
    assert.deepEqual(found, new Set(shown(plan(whole).ipip?.destinations).map(String)));
    for (const one of expected) assert.ok(found.has(String(one)));
    break;
  }
});

test("IPv6 VXLAN is proved by a neighbour on the device, since the kernel refuses the gateway", () => {
  const base = dualStackSnapshot();
  const nodes = base.nodes.map((node) => ({
    ...node,
    probeAddress: ipAddress(`fd00:244::${node.name.slice(-1)}09`),
  }));
  const pool = pool6Fact({ vxlanMode: "Always" });
  const wanted = plan({
    ...base,
    nodes,
    probeAddress: ipAddress("fd00:244::109"),
    proof: { pool },
  });
  const lines = renderPlan(wanted);
  for (const line of [
    "address fd00:244::109/128 dev lo",
    "neighbour fd00:244::209 lladdr 66:00:00:00:06:02 dev vxlan-v6.calico",
    "rule priority 90 from fd00:244::109/128 ipproto tcp lookup 17900",
    "route fd00:244::209 dev vxlan-v6.calico table 17900 proto 80 metric 1024 pref medium",
    "route unreachable default dev lo table 17900 proto 80 metric 1024 pref medium",
  ]) {
    assert.ok(lines.includes(line), `${line}\n${lines.join("\n")}`);
  }
  assert.equal(lines.filter((line) => line.startsWith("fdb 66:00:00:00:06:02")).length, 1);
  assert.deepEqual(wanted.proof?.rules[0]?.source, prefix("fd00:244::109/128"));
});
