import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ipv4, prefix4 } from "../lib/index.ts";
import { diffPlans, renderPlan } from "./objects.ts";
import { plan } from "./plan.ts";
import { renderRoute } from "./render.ts";
import { nodeFact, poolFact, settings, snapshot } from "./testing/snapshot.ts";
import type { ClusterRoutes, PoolFacts, RouteSource, Snapshot } from "./types.ts";

const routes = (input: Snapshot) => plan(input).routes.map(renderRoute);

const own = ["blackhole 10.244.1.0/26 proto bird", "10.244.1.2 dev cali0123456789a scope link"];

const modes: { name: string; pool: Partial<PoolFacts>; remote: string[] }[] = [
  {
    name: "IPIP Always",
    pool: { ipipMode: "Always" },
    remote: [
      "10.244.2.0/26 via 172.139.20.76 dev tunl0 proto bird onlink",
      "10.244.3.0/26 via 172.139.30.75 dev tunl0 proto bird onlink",
      "10.244.4.0/26 via 172.139.30.76 dev tunl0 proto bird onlink",
    ],
  },
  {
    name: "IPIP CrossSubnet",
    pool: { ipipMode: "CrossSubnet" },
    remote: [
      "10.244.2.0/26 via 172.139.20.76 dev eth0 proto bird",
      "10.244.3.0/26 via 172.139.30.75 dev tunl0 proto bird onlink",
      "10.244.4.0/26 via 172.139.30.76 dev tunl0 proto bird onlink",
    ],
  },
  {
    name: "VXLAN Always",
    pool: { ipipMode: "Never", vxlanMode: "Always" },
    remote: [
      "10.244.2.0/26 via 10.244.2.1 dev vxlan.calico proto 80 onlink",
      "10.244.3.0/26 via 10.244.3.1 dev vxlan.calico proto 80 onlink",
      "10.244.4.0/26 via 10.244.4.1 dev vxlan.calico proto 80 onlink",
    ],
  },
  {
    name: "VXLAN CrossSubnet",
    pool: { ipipMode: "Never", vxlanMode: "CrossSubnet" },
    remote: [
      "10.244.2.0/26 via 172.139.20.76 dev eth0 proto 80",
      "10.244.3.0/26 via 10.244.3.1 dev vxlan.calico proto 80 onlink",
      "10.244.4.0/26 via 10.244.4.1 dev vxlan.calico proto 80 onlink",
    ],
  },
  {
    name: "None",
    pool: { ipipMode: "Never" },
    remote: [
      "10.244.2.0/26 via 172.139.20.76 dev eth0 proto bird",
      "10.244.3.0/26 via 172.139.20.1 dev eth0 proto bird",
      "10.244.4.0/26 via 172.139.20.1 dev eth0 proto bird",
    ],
  },
];

for (const { name, pool, remote } of modes) {
  test(`routes of ${name}`, () => {
    assert.deepEqual(routes(snapshot({ pools: [poolFact(pool)] })), [...own, ...remote]);
  });
}

test("a node stored without a mask sees nobody in its subnet", () => {
  const pools = [poolFact({ ipipMode: "CrossSubnet" })];
  const [, ...others] = snapshot().nodes;
  const nodes = [nodeFact("node1", { prefixLength: 32 }), ...others];
  assert.match(routes(snapshot({ pools, nodes }))[2] ?? "", /dev tunl0/);
});

const held: {
  name: string;
  input: Partial<Snapshot>;
  route: RegExp | undefined;
  waiting: RegExp;
}[] = [
  {
    name: "its destination does not accept the new encapsulation",
    input: {
      nodes: snapshot().nodes.map((node) => ({ ...node, accepts: ["none", "ipip"] as const })),
    },
    route: /^10\.244\.2\.0\/26 via 172\.139\.20\.76 dev tunl0 proto bird onlink$/,
    waiting: /^node2 does not accept vxlan yet$/,
  },
  {
    name: "its destination publishes nothing",
    input: { nodes: snapshot().nodes.map(({ accepts: _, ...node }) => node) },
    route: /dev tunl0/,
    waiting: /^node2 has not published what it accepts$/,
  },
  {
    name: "its destination has no tunnel address",
    input: {
      nodes: snapshot().nodes.map(
        ({ ipv4: { vxlanTunnelAddress: _, ...ipv4 } = nodeFact("").ipv4, ...node }) => ({
          ...node,
          ipv4,
        }),
      ),
    },
    route: /dev tunl0/,
    waiting: /^node2 has no VXLAN tunnel address yet$/,
  },
  {
    name: "this node has not announced it",
    input: { announced: ["ipip"] },
    route: /dev tunl0/,
    waiting: /^this node has not announced yet that it may send vxlan$/,
  },
];

for (const { name, input, route, waiting } of held) {
  test(`a route stays as it is while ${name}`, () => {
    const current = new Map([["10.244.2.0/26", "ipip" as const]]);
    const pools = [poolFact({ ipipMode: "Never", vxlanMode: "Always" })];
    const result = plan(snapshot({ pools, current, ...input }));
    const destination = result.destinations.find((candidate) => candidate.node === "node2");
    assert.equal(destination?.chosen, "ipip");
    assert.match(destination?.waiting ?? "", waiting);
    assert.match(
      result.routes.map(renderRoute).find((text) => text.startsWith("10.244.2.")) ?? "",
      route!,
    );
  });
}

test("a route stays when its BGP session goes and the datastore still knows the block", () => {
  const current = new Map([["10.244.2.0/26", "ipip" as const]]);
  const input = snapshot({ learned: [], current });
  assert.match(routes(input).join("\n"), /10\.244\.2\.0\/26 via 172\.139\.20\.76 dev tunl0/);
  // ... but a block that nobody carries yet waits for BGP.
  assert.doesNotMatch(routes(input).join("\n"), /10\.244\.3\.0/);
});

test("a second Node with the address of another does not keep that one's blocks from their route", () => {
  const input = snapshot();
  const twin = { ...nodeFact("node2"), name: "twin" };
  const doubled = snapshot({ nodes: [...input.nodes, twin] });
  assert.deepEqual(routes(doubled), routes(input));
});

describe("programClusterRoutes", () => {
  const ways = {
    datastore: { stored: "proto 80", told: undefined, both: "proto 80" },
    bgp: { stored: undefined, told: "proto bird", both: "proto bird" },
    either: { stored: "proto bird", told: "proto bird", both: "proto bird" },
    nobody: { stored: undefined, told: undefined, both: undefined },
  } as const;
  const full = snapshot();
  const words = {
    stored: { learned: [] },
    told: { blocks: full.blocks.filter(({ node }) => node === "node1") },
    both: {},
  } as const;
  const pools = { ipip: {}, noEncap: { ipipMode: "Never" } } as const;
  for (const [source, expected] of Object.entries(ways)) {
    for (const kind of ["ipip", "noEncap"] as const) {
      test(`${kind} routes come from: ${source}`, () => {
        const nobody: ClusterRoutes = { ipip: "nobody", noEncap: "nobody" };
        const clusterRoutes = { ...nobody, [kind]: source as RouteSource };
        for (const [word, input] of Object.entries(words)) {
          const settings = { ...full.settings, clusterRoutes };
          const found = routes(snapshot({ ...input, settings, pools: [poolFact(pools[kind])] }));
          const route = found.find((text) => text.startsWith("10.244.3.0/26"));
          const protocol = expected[word as keyof typeof words];
          assert.equal(/proto \w+/.exec(route ?? "")?.[0], protocol, word);
        }
      });
    }
  }

  test("of nobody: what runs is kept, what does not is said to wait", () => {
    const settings = {
      ...full.settings,
      clusterRoutes: { ipip: "nobody", noEncap: "nobody" },
    } as const;
    const current = new Map([["10.244.2.0/26", "ipip" as const]]);
    const { destinations } = plan(snapshot({ settings, current }));
    assert.deepEqual(
      destinations.map(({ chosen }) => chosen),
      ["ipip", undefined, undefined],
    );
    assert.equal(
      destinations[1]?.waiting,
      "programClusterRoutes of neither FelixConfiguration nor BGPConfiguration covers default-ipv4-ippool",
    );
  });

  test("does not touch VXLAN", () => {
    const settings = {
      ...full.settings,
      clusterRoutes: { ipip: "nobody", noEncap: "nobody" },
    } as const;
    const vxlan = [poolFact({ ipipMode: "Never", vxlanMode: "CrossSubnet" })];
    assert.deepEqual(
      routes(snapshot({ settings, pools: vxlan })),
      routes(snapshot({ pools: vxlan })),
    );
  });
});

test("a route of BGP goes when the block is gone from the datastore as well", () => {
  const current = new Map([["10.244.2.0/26", "ipip" as const]]);
  const blocks = snapshot().blocks.filter((candidate) => candidate.node !== "node2");
  assert.doesNotMatch(
    routes(snapshot({ learned: [], blocks, current })).join("\n"),
    /10\.244\.2\.0/,
  );
});

test("a destination that cannot take what the pool wants gets a tunnel it does accept", () => {
  const nodes = snapshot().nodes.map((node) => ({ ...node, accepts: ["none", "vxlan"] as const }));
  const { destinations } = plan(snapshot({ nodes }));
  assert.deepEqual([...new Set(destinations.map(({ chosen }) => chosen))], ["vxlan"]);
});

test("plain routing is never a fall-back", () => {
  const nodes = snapshot().nodes.map((node) => ({ ...node, accepts: ["none"] as const }));
  const { destinations } = plan(snapshot({ nodes }));
  assert.deepEqual([...new Set(destinations.map(({ chosen }) => chosen))], [undefined]);
});

test("a network of the routers is routed to their next hop", () => {
  const learned = [{ prefix: prefix4("198.51.100.0/24"), nextHop: ipv4("172.139.20.1") }];
  assert.match(
    routes(snapshot({ learned })).join("\n"),
    /198\.51\.100\.0\/24 via 172\.139\.20\.1 dev eth0 proto bird/,
  );
});

test("a network with several equal next hops is routed over all that lead anywhere, each once", () => {
  const at = (nextHops: readonly string[]) => {
    const [nextHop] = nextHops.map(ipv4);
    const prefix = prefix4("198.51.100.0/24");
    const learned = [{ prefix, nextHop: nextHop!, nextHops: nextHops.map(ipv4) }];
    return routes(snapshot({ learned })).filter((line) => line.startsWith("198."));
  };
  assert.deepEqual(at(["172.139.20.3", "172.139.20.2"]), [
    "198.51.100.0/24 proto bird\n\tnexthop via 172.139.20.2 dev eth0 weight 1\n\tnexthop via 172.139.20.3 dev eth0 weight 1",
  ]);
  // Both beyond the router: one way.
  const beyond = "198.51.100.0/24 via 172.139.20.1 dev eth0 proto bird";
  assert.deepEqual(at(["192.0.2.1", "192.0.2.2"]), [beyond]);
  // The node itself is no way to anywhere.
  assert.deepEqual(at(["192.0.2.1", "172.139.20.75"]), [beyond]);
});

test("of several next hops, one behind a link that has gone is used only when all are", () => {
  const learned = [
    {
      ...{ prefix: prefix4("198.51.100.0/24"), nextHop: ipv4("10.77.1.2") },
      nextHops: ["10.77.1.2", "10.77.2.2"].map(ipv4),
    },
  ];
  const { host } = snapshot();
  const up = { mtu: 1500, running: true };
  const links = ["r1", "r2"].map((name) => ({ ...up, name }));
  const connected = [1, 2].map((number) => ({
    ...{ destination: prefix4(`10.77.${number}.0/30`), device: `r${number}` },
  }));
  const at = (present: readonly string[], carrier: readonly string[]) => {
    const routesOfHost = connected.filter(({ device }) => present.includes(device));
    const interfaces = links.map((link) => ({ ...link, running: carrier.includes(link.name) }));
    const made = { ...host, interfaces, routes: [...host.routes, ...routesOfHost] };
    const lines = routes(snapshot({ learned, host: made }));
    return lines
      .filter((line) => line.startsWith("198."))
      .join()
      .match(/(?<=via )\S+ dev \S+/g);
  };
  const [first, second] = ["10.77.1.2 dev r1", "10.77.2.2 dev r2"];
  const both = ["r1", "r2"];
  assert.deepEqual(at(both, both), [first, second]);
  assert.deepEqual(at(both, ["r2"]), [second], "no carrier");
  assert.deepEqual(at(["r2"], ["r2"]), [second], "only by the default route");
  assert.deepEqual(at(both, []), [first, second], "what there is, stays");
  assert.deepEqual(at([], []), ["172.139.20.1 dev eth0"]);
});

test("tunnels are planned for what must be received, whatever is sent", () => {
  const none = plan(snapshot({ receive: [], pools: [poolFact({ ipipMode: "Never" })] }));
  assert.equal(none.ipip ?? none.vxlan, undefined);
  assert.equal(none.firewall.ipipSenders, undefined);
  const both = plan(snapshot());
  assert.equal(both.ipip?.mtu, 1480);
  assert.equal(both.vxlan?.mtu, 1450);
  assert.equal(both.vxlan?.neighbours.length, 3);
  assert.equal(both.ipip?.destinations.length, 3);
});

test("a single external node may send IP-in-IP to the device itself, not only past the firewall", () => {
  const externalNodes = [prefix4("192.0.2.9/32"), prefix4("198.51.100.0/24")];
  const { ipip, firewall } = plan(snapshot({ settings: { ...settings, externalNodes } }));
  assert.ok(ipip?.senders.includes(ipv4("192.0.2.9")));
  assert.equal(ipip?.senders.length, 4);
  assert.equal(firewall.ipipSenders?.length, 5);
});

test("diff names what changes between two modes and nothing else", () => {
  const before = plan(snapshot());
  const after = plan(snapshot({ pools: [poolFact({ ipipMode: "CrossSubnet" })] }));
  assert.deepEqual(diffPlans(before, after), [
    { kind: "add", line: "route 10.244.2.0/26 via 172.139.20.76 dev eth0 proto bird" },
    { kind: "remove", line: "route 10.244.2.0/26 via 172.139.20.76 dev tunl0 proto bird onlink" },
  ]);
  assert.deepEqual(diffPlans(before, before), []);
  assert.ok(renderPlan(before).length > 10);
});
