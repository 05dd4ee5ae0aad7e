/** What is told to whom: Calico's default rules, pools, advertisements, and the filters before them. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AskedRoute, askPolicy } from "../../bgp/testing/ask-policy.ts";
import { type ClusterView, clusterFacts } from "../../facts/index.ts";
import { vxlanMacOf } from "../../mode/index.ts";
import type { BGPConfiguration, BGPFilter, BGPPeer } from "../../model/index.ts";
import { hashedRouterId } from "../router-id.ts";
import { clusterView, nodeResource, poolResource } from "../testing.ts";
import { bgpPlan } from "./plan.ts";

const calico = "projectcalico.org/v3";
const made = <K extends string, S>(kind: K, name: string, spec: S) =>
  ({ apiVersion: calico, kind, metadata: { name }, spec }) as const;
const configuration = (name: string, spec: BGPConfiguration["spec"]): BGPConfiguration =>
  made("BGPConfiguration", name, spec);
const peer = (name: string, spec: BGPPeer["spec"]): BGPPeer => made("BGPPeer", name, spec);
const filter = (name: string, spec: BGPFilter["spec"]): BGPFilter => made("BGPFilter", name, spec);

const router = peer("tor", { peerIP: "192.0.2.1", asNumber: 65000 });
const sameAs = peer("inside", { peerIP: "192.0.2.2", asNumber: 64512 });

function planOf(overrides: Partial<ClusterView>, node = "node1") {
  const view = clusterView(overrides);
  const facts = clusterFacts(view, node, vxlanMacOf);
  return bgpPlan({ ...facts, view, node, serviceCidrs: [], hashedRouterId, secret: () => ({}) })!;
}

/** What becomes of a route towards the peer of this name, or of the first of the mesh. */
function told(
  overrides: Partial<ClusterView>,
  asked: AskedRoute,
  name = "Global_192_0_2_1",
): string {
  const bgpPeers = [router, sameAs];
  const { config } = planOf({ bgpPeers, ...overrides });
  const to = config.peers.find((one) => one.name.startsWith(name))!;
  const peerType = to.remoteAs === config.localAs ? "ibgp" : "ebgp";
  return askPolicy(to.exportPolicy, { ...asked, peerType });
}

const ownBlock = { prefix: "10.244.1.0/26", source: "originated" } as const;
const otherBlock = { prefix: "10.244.2.0/26", source: "ibgp" } as const;
const hidden = { pools: [poolResource({ disableBGPExport: true })] };

describe("told is", () => {
  const rows: [name: string, actual: string, expected: string][] = [
    ["an own block", told({}, ownBlock), "accepted pref 2147482623"],
    ["an own block, in the mesh", told({}, ownBlock, "Mesh"), "accepted pref 2147482623"],
    [
      "an own block outside of all pools",
      told({}, { ...ownBlock, prefix: "192.168.0.0/26" }),
      "accepted pref 2147482623",
    ],
    ["no own block of a pool with disableBGPExport", told(hidden, ownBlock), "rejected"],
    ["nor of another node there", told(hidden, otherBlock, "Global_192_0_2_2"), "rejected"],
    [
      "an own address in a pool",
      told({}, { ...ownBlock, prefix: "10.244.2.7/32", device: "cali1" }),
      "accepted pref 2147482623",
    ],
    [
      "no own address outside of all pools",
      told({}, { ...ownBlock, prefix: "192.0.2.7/32", device: "cali1" }),
      "rejected",
    ],
    ["another node's block, to a router less preferred", told({}, otherBlock), "accepted med 100"],
    ["another node's block inside", told({}, otherBlock, "Global_192_0_2_2"), "accepted"],
    ["a pool's prefix from a router", told({}, { ...otherBlock, source: "ebgp" }), "accepted"],
    [
      "nothing else that routers told",
      told({}, { prefix: "203.0.113.0/24", source: "ebgp" }),
      "rejected",
    ],
    [
      "with the priority of the cluster",
      told(
        { bgpConfigurations: [configuration("default", { ipv4NormalRoutePriority: 7 })] },
        ownBlock,
      ),
      "accepted pref 2147483640",
    ],
  ];
  for (const [name, actual, expected] of rows) test(name, () => assert.equal(actual, expected));
});

describe("prefixAdvertisements", () => {
  const communities = [{ name: "pods", value: "65000:1" }];
  const everybody = configuration("default", {
    communities,
    prefixAdvertisements: [
      { cidr: "10.244.0.0/16", communities: ["pods", "1:2:3"] },
      { cidr: "10.244.1.0/24", communities: ["65000:2", "unknown"] },
      { cidr: "fd00::/8", communities: ["65000:6"] },
    ],
  });
  const given = (bgpConfigurations: BGPConfiguration[], asked: AskedRoute = ownBlock) =>
    told({ bgpConfigurations }, asked, "Global_192_0_2_2").replace("pref 2147482623 ", "");

  test("add communities to what lies inside, all that do", () => {
    assert.equal(given([everybody]), "accepted communities 65000:1 65000:2 1:2:3");
    assert.equal(given([everybody], otherBlock), "accepted communities 65000:1 1:2:3");
    const outside = { ...ownBlock, prefix: "10.243.0.0/26" };
    assert.equal(given([everybody], outside), "accepted pref 2147482623");
  });

  test("say which name nobody explains", () => {
    const { problems } = planOf({ bgpPeers: [router], bgpConfigurations: [everybody] });
    assert.deepEqual(problems, [
      "BGPConfiguration: prefixAdvertisements 10.244.1.0/24: bad community unknown",
    ]);
  });

  test("of the node take the place of those for all, family by family", () => {
    const own = configuration("node.node1", {
      prefixAdvertisements: [{ cidr: "10.244.0.0/16", communities: ["65000:9"] }],
    });
    assert.equal(given([everybody, own]), "accepted communities 65000:9");
    const six = configuration("node.node1", {
      prefixAdvertisements: [{ cidr: "fd00::/8", communities: ["65000:9"] }],
    });
    assert.equal(given([everybody, six], otherBlock), "accepted communities 65000:1 1:2:3");
  });
});

describe("a peer's filters", () => {
  const inside = { cidr: "10.244.0.0/16", matchOperator: "In" } as const;
  const bgpFilters = [
    filter("f", {
      exportV4: [
        {
          ...inside,
          priority: 1024,
          action: "Accept",
          operations: [{ setPriority: { value: 5 } }],
        },
        { cidr: "203.0.113.0/24", matchOperator: "Equal", action: "Accept" },
        { cidr: "192.168.0.0/16", matchOperator: "In", action: "Reject" },
      ],
      importV4: [{ action: "Reject" }],
    }),
  ];
  const prefixAdvertisements = [{ cidr: "0.0.0.0/0", communities: ["65000:1"] }];
  const filtered = (asked: AskedRoute, more: Partial<ClusterView> = {}) =>
    told(
      {
        bgpFilters,
        bgpPeers: [peer("tor", { ...router.spec, filters: ["f"] })],
        bgpConfigurations: [configuration("default", { prefixAdvertisements })],
        ...more,
      },
      asked,
    );

  test("decide before all other rules, and see the priority", () => {
    assert.equal(filtered(ownBlock), "accepted pref 2147483642");
    assert.equal(filtered(ownBlock, hidden), "accepted pref 2147483642");
    assert.equal(filtered({ prefix: "203.0.113.0/24", source: "ebgp" }), "accepted");
    const relayed = { prefix: "203.0.113.0/24", source: "ibgp" } as const;
    assert.equal(filtered(relayed), "accepted med 100", "less preferred than whose it is");
    assert.equal(filtered({ ...ownBlock, prefix: "192.168.0.0/26" }), "rejected");
  });

  test("leave to the other rules what they do not decide", () => {
    assert.equal(filtered(otherBlock), "accepted med 100 communities 65000:1");
    assert.equal(filtered({ prefix: "198.51.100.0/24", source: "ebgp" }), "rejected");
    assert.equal(filtered({ ...otherBlock, prefix: "10.244.9.0/26" }, hidden), "rejected");
  });

  test("are of that peer alone, never of the mesh", () => {
    const { config } = planOf({
      bgpFilters,
      bgpPeers: [peer("tor", { ...router.spec, filters: ["f"] }), sameAs],
    });
    const importing = config.peers.filter(({ importPolicy }) => importPolicy);
    assert.deepEqual(
      importing.map(({ name }) => name),
      ["Global_192_0_2_1"],
    );
    assert.ok(config.peers.some(({ name }) => name.startsWith("Mesh")));
    const [first, ...others] = config.peers.filter(({ name }) => name.startsWith("Mesh"));
    for (const other of others) assert.equal(other.exportPolicy, first?.exportPolicy, "made once");
    assert.equal(askPolicy(importing[0]?.importPolicy, { prefix: "10.0.0.0/8" }), "rejected");
  });

  test("are those of both ends of a peering between nodes", () => {
    const nodes = [
      nodeResource("node1", "172.139.20.75/24", { rack: "20" }),
      nodeResource("node2", "172.139.20.76/24", { rack: "30" }),
    ];
    const between = peer("racks", {
      nodeSelector: "rack == '20'",
      peerSelector: "rack == '30'",
      filters: ["f"],
    });
    const off = [configuration("default", { nodeToNodeMeshEnabled: false })];
    for (const node of ["node1", "node2"]) {
      const view = { nodes, bgpFilters, bgpPeers: [between], bgpConfigurations: off };
      const [session, ...more] = planOf(view, node).config.peers;
      assert.deepEqual(more, []);
      assert.equal(askPolicy(session?.importPolicy, { prefix: "10.0.0.0/8" }), "rejected", node);
      assert.equal(
        askPolicy(session?.exportPolicy, { ...ownBlock, prefix: "192.168.0.0/26" }),
        "rejected",
      );
    }
  });

  test("that ask for interfaces wait for the host's routes, and say so", () => {
    const asking = filter("f", { importV4: [{ interface: "eth1", action: "Reject" }] });
    const plan = planOf({
      bgpFilters: [asking],
      bgpPeers: [peer("tor", { ...router.spec, filters: ["f"] })],
    });
    assert.equal(plan.usesHostRoutes, true);
    assert.deepEqual(plan.problems, [
      "BGPFilters name interfaces, and the host's routes have not been read yet",
    ]);
  });
});
