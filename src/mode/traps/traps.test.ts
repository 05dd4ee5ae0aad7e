/** Each trap snaps at what it is for, and none at a cluster in which nothing is wrong. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { poolResource } from "../../facts/testing/resources.ts";
import type {
  BGPFilter,
  BGPPeer,
  IPAMBlock,
  ModeChange,
  ModeName,
  Node,
} from "../../model/index.ts";
import { modeFields } from "../../model/index.ts";
import {
  type Cluster,
  healthyCluster,
  healthyHost,
  healthyMode,
  healthyNode,
} from "../testing/cluster.ts";
import { trapCatalogue } from "./catalogue.ts";
import { findTraps } from "./find-traps.ts";

const modes: readonly ModeName[] = [
  "ipip",
  "ipip-cross-subnet",
  "vxlan",
  "vxlan-cross-subnet",
  "none",
];

for (const from of modes) {
  for (const to of modes.filter((mode) => mode !== from)) {
    test(`a change from ${from} to ${to} of a cluster in which nothing is wrong has no trap`, () => {
      assert.deepEqual(findTraps(healthyCluster(to, { pool: modeFields(from) })), []);
    });
  }
}

const bare = (name: string, change: (node: Node) => Node["spec"]): Node => {
  const node = healthyNode(name);
  return { ...node, spec: change(node) };
};
/** The cluster's nodes, with one of them changed. */
const withNode = (name: string, change: (node: Node) => Node["spec"]) => ({
  nodes: ["a", "b", "c", "d"].map((one) => (one === name ? bare(one, change) : healthyNode(one))),
});
const address = (ipv4Address: string) => (node: Node) => ({
  ...node.spec,
  bgp: { ...node.spec.bgp, ipv4Address },
});
const bgpPeer = (spec: BGPPeer["spec"]): BGPPeer => ({
  ...{ apiVersion: "projectcalico.org/v3", kind: "BGPPeer" },
  metadata: { name: "more" },
  spec,
});
const bgpFilter = (name: string, spec: BGPFilter["spec"]): BGPFilter => ({
  ...{ apiVersion: "projectcalico.org/v3", kind: "BGPFilter" },
  metadata: { name },
  spec,
});
/** The routers of both subnets, with the filters of each. */
const routers = (...filters: string[][]) =>
  healthyCluster("none").view.bgpPeers.map((peer, at) => {
    return { ...peer, spec: { ...peer.spec, filters: filters[at]! } };
  });
const pods = { cidr: "10.244.0.0/16", matchOperator: "In", action: "Reject" } as const;
const noPods = { bgpFilters: [bgpFilter("no-pods", { exportV4: [pods] })] };
const noMesh = {
  bgpConfigurations: [
    {
      apiVersion: "projectcalico.org/v3",
      kind: "BGPConfiguration",
      metadata: { name: "default" },
      spec: { nodeToNodeMeshEnabled: false },
    },
  ],
} as const;
const felix = (spec: Record<string, unknown>) =>
  ({
    felixConfigurations: [
      {
        apiVersion: "projectcalico.org/v3",
        kind: "FelixConfiguration",
        metadata: { name: "default" },
        spec,
      },
    ],
  }) as const;
const change = (name: string, spec: ModeChange["spec"], phase: "Proving" | "Done"): ModeChange => ({
  apiVersion: "switchyard.io/v1",
  kind: "ModeChange",
  metadata: { name },
  spec,
  status: { phase, phaseSince: "2026-01-01T00:00:00Z", from: "ipip", history: [] },
});
const block = (cidr: string, free: number): IPAMBlock => ({
  apiVersion: "projectcalico.org/v3",
  kind: "IPAMBlock",
  metadata: { name: cidr.replace(/[./]/g, "-") },
  spec: {
    cidr,
    allocations: [],
    unallocated: Array.from({ length: free }, (_, ordinal) => ordinal),
    attributes: [],
    sequenceNumber: 1,
  },
});
const bgp = (name: string, overrides: object) => ({
  ...healthyHost(name).status!.bgp!,
  ...overrides,
});
const peers = (name: string, overrides: object) =>
  bgp(name, {
    peers: healthyHost(name).status!.bgp!.peers.map((peer) => ({ ...peer, ...overrides })),
  });

interface Row {
  readonly code: string;
  readonly severity: "refuse" | "warn";
  readonly to: ModeName | undefined;
  readonly cluster: Cluster;
  readonly nodes?: readonly string[];
  /** Part of the message. */
  readonly says: string;
}

const rows: Record<string, Row> = {
  "no such pool": {
    code: "POOL_MISSING",
    severity: "refuse",
    to: "none",
    cluster: { spec: { pool: "other", to: "none" } },
    says: "there is no IPPool other",
  },
  "the mode it has": {
    code: "POOL_HAS_MODE",
    severity: "warn",
    to: "ipip",
    cluster: {},
    says: "IPIPAlways already",
  },
  "IP-in-IP for IPv6": {
    code: "IPIP_FOR_IPV6",
    severity: "refuse",
    to: "ipip",
    cluster: { pool: { cidr: "fd00:244::/64", ipipMode: "Never" } },
    says: "is IPv6",
  },
  "nested pools, one of them disabled": {
    code: "POOLS_OVERLAP",
    severity: "refuse",
    to: "none",
    cluster: {
      view: {
        pools: [
          poolResource(),
          poolResource({ cidr: "10.244.128.0/24", disabled: true }, "inner"),
          poolResource({ cidr: "10.245.0.0/16" }, "apart"),
        ],
      },
    },
    says: "overlaps inner (10.244.128.0/24, disabled)",
  },
  "a disabled pool": {
    code: "POOL_DISABLED",
    severity: "refuse",
    to: "ipip-cross-subnet",
    cluster: { pool: { disabled: true } },
    says: "is disabled",
  },
  "a pool that BGP does not tell": {
    code: "POOL_NOT_EXPORTED",
    severity: "refuse",
    to: "none",
    cluster: { pool: { disableBGPExport: true } },
    says: "disableBGPExport",
  },
  "a pool that BGP does not tell, while the datastore's word is enough for IP-in-IP alone": {
    code: "POOL_NOT_EXPORTED",
    severity: "refuse",
    to: "none",
    cluster: {
      pool: { disableBGPExport: true },
      view: felix({ programClusterRoutes: "EnabledIPIPOnly" }),
    },
    says: "disableBGPExport",
  },
  "a pool of the operator": {
    code: "POOL_OF_OPERATOR",
    severity: "refuse",
    to: "vxlan-cross-subnet",
    cluster: {
      view: {
        pools: [
          {
            ...poolResource(),
            metadata: {
              name: "default-ipv4-ippool",
              labels: { "app.kubernetes.io/managed-by": "tigera-operator" },
            },
          },
        ],
      },
    },
    says: "Tigera operator",
  },
  "a full pool": {
    code: "POOL_FULL",
    severity: "refuse",
    to: "vxlan",
    cluster: {
      pool: { cidr: "10.244.1.0/25" },
      blocks: [block("10.244.1.0/26", 4), block("10.244.1.64/26", 3)],
    },
    says: "has 7 free addresses, and the change needs 8",
  },
  "another change of the pool": {
    code: "CHANGE_RUNNING",
    severity: "refuse",
    to: "none",
    cluster: {
      view: {
        modeChanges: [
          change("one", { pool: "default-ipv4-ippool", to: "vxlan" }, "Proving"),
          change("old", { pool: "default-ipv4-ippool", to: "ipip" }, "Done"),
        ],
      },
    },
    says: "ModeChange one of IPPool default-ipv4-ippool is in phase Proving",
  },
  "a change of another pool": {
    code: "CHANGE_RUNNING",
    severity: "warn",
    to: "none",
    cluster: { view: { modeChanges: [change("one", { pool: "other", to: "vxlan" }, "Proving")] } },
    says: "of IPPool other",
  },
  "a node without an agent": {
    code: "NODE_WITHOUT_AGENT",
    severity: "refuse",
    to: "none",
    cluster: {
      view: { nodeModes: ["a", "b", "c"].map((name) => healthyMode(name, {})) },
    },
    nodes: ["d"],
    says: "node d: no agent has spoken",
  },
  "an agent that knows nothing of changes": {
    code: "NODE_AGENT_OLD",
    severity: "refuse",
    to: "none",
    cluster: { nodeHosts: ["a", "b", "d"].map((name) => healthyHost(name)) },
    nodes: ["c"],
    says: "node c (agent 1.0.0)",
  },
  "agents of two versions": {
    code: "AGENT_VERSIONS_DIFFER",
    severity: "warn",
    to: "none",
    cluster: { modes: { b: { agentVersion: "0.9.0" } } },
    nodes: ["b"],
    says: "most agents are 1.0.0, but 0.9.0 on node b",
  },
  "a node that waits": {
    code: "NODE_NOT_SETTLED",
    severity: "warn",
    to: "none",
    cluster: {
      modes: {
        c: {
          pools: {
            "default-ipv4-ippool": {
              mode: "IPIPAlways",
              resourceVersion: "7",
              realised: false,
              waiting: ["b does not accept ipip yet"],
            },
          },
        },
      },
    },
    nodes: ["c"],
    says: "c: b does not accept ipip yet",
  },
  "a kernel that refuses": {
    code: "NODE_FAILING",
    severity: "warn",
    to: "none",
    cluster: { modes: { a: { failures: ["route 10.244.2.0/26: No buffer space available"] } } },
    nodes: ["a"],
    says: "No buffer space available",
  },
  "a node without address": {
    code: "NODE_WITHOUT_ADDRESS",
    severity: "refuse",
    to: "vxlan",
    cluster: { view: withNode("b", ({ spec }) => ({ ...spec, bgp: {} })) },
    nodes: ["b"],
    says: "node b has no address",
  },
  "a node without the other family": {
    code: "FAMILY_MISSING",
    severity: "warn",
    to: "vxlan",
    cluster: {
      view: withNode("b", ({ spec }) => ({ ...spec, bgp: { ipv6Address: "fd00::2/64" } })),
    },
    nodes: ["b"],
    says: "no IPv4 address",
  },
  "an address that the host has not": {
    code: "NODE_ADDRESS_NOT_ON_HOST",
    severity: "refuse",
    to: "vxlan",
    cluster: { hosts: { d: { uplink: undefined } } },
    nodes: ["d"],
    says: "172.139.30.74 is stored, the host has 172.139.30.74/24",
  },
  "two nodes with one address": {
    code: "NODE_ADDRESS_SHARED",
    severity: "refuse",
    to: "vxlan",
    cluster: { view: withNode("b", address("172.139.20.71/24")) },
    nodes: ["a", "b"],
    says: "nodes a and b have the address 172.139.20.71",
  },
  "a bare address, and a device with a mask": {
    code: "NODE_ADDRESS_WITHOUT_MASK",
    severity: "warn",
    to: "ipip-cross-subnet",
    cluster: { view: withNode("b", address("172.139.20.72")) },
    nodes: ["b"],
    says: "its agent goes by that of its device",
  },
  "a /32, and a device that has one too": {
    code: "NODE_ADDRESS_WITHOUT_MASK",
    severity: "refuse",
    to: "vxlan-cross-subnet",
    cluster: {
      view: withNode("b", address("172.139.20.72/32")),
      hosts: { b: { uplink: { ...healthyHost("b").status!.uplink!, prefixLength: 32 } } },
    },
    nodes: ["b"],
    says: "would encapsulate to every node",
  },
  "another mask than the device's": {
    code: "NODE_MASK_DIFFERS",
    severity: "refuse",
    to: "ipip-cross-subnet",
    cluster: { view: withNode("b", address("172.139.20.72/16")) },
    nodes: ["b"],
    says: "172.139.20.72 is stored as /16, its device has /24",
  },
  "a kernel without the module": {
    code: "TUNNEL_NOT_POSSIBLE",
    severity: "refuse",
    to: "vxlan",
    cluster: { hosts: { a: { tunnels: { ipip: "bpf", vxlan: "no vxlan module" } } } },
    nodes: ["a"],
    says: "cannot send or receive vxlan: no vxlan module",
  },
  "a pool that gives no tunnel addresses": {
    code: "TUNNEL_ADDRESS_UNAVAILABLE",
    severity: "refuse",
    to: "vxlan",
    cluster: { pool: { allowedUses: ["Workload"] } },
    nodes: ["a", "b", "c", "d"],
    says: "no pool gives nodes a, b, c and d an address for the vxlan tunnel",
  },
  "a node whose tunnel has no address now": {
    code: "TUNNEL_ADDRESS_MISSING",
    severity: "warn",
    to: "none",
    cluster: {
      view: withNode("c", ({ spec }) => ({
        ...spec,
        bgp: { ipv4Address: spec.bgp?.ipv4Address },
      })),
    },
    nodes: ["c"],
    says: "has no ipip tunnel address",
  },
  "a borrowed tunnel address": {
    code: "TUNNEL_ADDRESS_BORROWED",
    severity: "warn",
    to: "vxlan",
    cluster: {
      view: withNode("c", ({ spec }) => ({ ...spec, ipv4VXLANTunnelAddr: "10.244.4.9" })),
    },
    nodes: ["c"],
    says: "c: 10.244.4.9 is in a block of d",
  },
  "a tunnel address that two have": {
    code: "TUNNEL_ADDRESS_SHARED",
    severity: "refuse",
    to: "vxlan",
    cluster: {
      view: withNode("c", ({ spec }) => ({ ...spec, ipv4VXLANTunnelAddr: "10.244.4.1" })),
    },
    nodes: ["c", "d"],
    says: "vxlan 10.244.4.1",
  },
  "another device with the VXLAN port": {
    code: "VXLAN_PORT_IN_USE",
    severity: "refuse",
    to: "vxlan",
    cluster: {
      hosts: { a: { vxlanPortHolders: [{ holder: "device flannel.1 (VNI 4096)", blocks: true }] } },
    },
    nodes: ["a"],
    says: "UDP port 4789 is in use on node a (a: device flannel.1 (VNI 4096))",
  },
  "a strict filter beside the uplink": {
    code: "RP_FILTER_STRICT",
    severity: "warn",
    to: "none",
    cluster: {
      hosts: {
        a: {
          routes: [
            { destination: "172.139.20.0/24", device: "eth0" },
            { destination: "172.139.30.0/24", gateway: "172.139.20.1", device: "eth1" },
          ],
        },
      },
    },
    nodes: ["a"],
    says: "eth1 (a) leads to other nodes and filters strictly",
  },
  "hosts of two MTUs": {
    code: "HOST_MTUS_DIFFER",
    severity: "warn",
    to: "none",
    cluster: { hosts: { d: { uplink: { ...healthyHost("d").status!.uplink!, mtu: 9000 } } } },
    nodes: ["d"],
    says: "1500 on nodes a, b and c and 9000 on node d",
  },
  "an MTU by hand that is too large": {
    code: "TUNNEL_MTU_TOO_LARGE",
    severity: "refuse",
    to: "vxlan",
    cluster: { view: felix({ vxlanMTU: 1500 }) },
    nodes: ["a", "b", "c", "d"],
    says: "gives vxlan the MTU 1500",
  },
  "pods whose agent leaves their MTU": {
    code: "POD_MTU_TOO_LARGE",
    severity: "warn",
    to: "vxlan",
    cluster: { modes: { b: { mtu: undefined } }, hosts: { b: { podMtus: { 1480: 2, 1450: 1 } } } },
    nodes: ["b"],
    says: "have an MTU of 1480 (b), and their agents leave it as it is; the new mode carries 1450",
  },
  "pods whose MTU was given by hand": {
    code: "POD_MTU_TOO_LARGE",
    severity: "warn",
    to: "vxlan",
    cluster: { hosts: { b: { podMtus: { 1480: 2, 1467: 1 } } } },
    nodes: ["b"],
    says: "have an MTU of 1467 (b), given by hand",
  },
  "no mesh and no peers": {
    code: "BGP_NO_PEERS",
    severity: "refuse",
    to: "none",
    cluster: { view: { ...noMesh, bgpPeers: [] } },
    nodes: ["a", "b", "c", "d"],
    says: "the node-to-node mesh is off and no BGPPeer is meant for",
  },
  "a mesh that is to end, and no peers": {
    code: "BGP_NO_PEERS",
    severity: "refuse",
    to: undefined,
    cluster: { spec: { mesh: "off" }, view: { bgpPeers: [] } },
    nodes: ["a", "b", "c", "d"],
    says: "would be off",
  },
  "no mesh, and peers that are pods": {
    code: "BGP_NO_PEERS",
    severity: "refuse",
    to: "none",
    cluster: {
      view: { ...noMesh, bgpPeers: [bgpPeer({ localWorkloadSelector: "all()", asNumber: 65401 })] },
    },
    nodes: ["a", "b", "c", "d"],
    says: "no BGPPeer is meant for",
  },
  "filters that refuse the pool to every router": {
    code: "BGP_FILTER_REFUSES_POOL",
    severity: "refuse",
    to: "none",
    cluster: { view: { ...noPods, bgpPeers: routers(["no-pods"], ["no-pods"]) } },
    nodes: ["a", "b", "c", "d"],
    says: "BGPPeer router-20: exportV4[0] of BGPFilter no-pods",
  },
  "a filter that refuses the pool to the router of one subnet": {
    code: "BGP_FILTER_REFUSES_POOL",
    severity: "refuse",
    to: "none",
    cluster: { view: { ...noPods, bgpPeers: routers(["no-pods"], []) } },
    nodes: ["a", "b"],
    says: "no BGP peer learns or tells of blocks of the pool",
  },
  "a filter that refuses the pool to one of two routers": {
    code: "BGP_FILTER_REFUSES_POOL",
    severity: "warn",
    to: "none",
    cluster: {
      view: {
        ...noPods,
        bgpPeers: [
          ...routers([], []),
          bgpPeer({ node: "a", peerIP: "192.0.2.1", asNumber: 65001, filters: ["no-pods"] }),
        ],
      },
    },
    nodes: ["a"],
    says: "some BGP peers do not learn or tell",
  },
  "without the mesh, a filter that lets nothing of the pool in": {
    code: "BGP_FILTER_REFUSES_POOL",
    severity: "refuse",
    to: "ipip",
    cluster: {
      view: {
        ...noMesh,
        bgpFilters: [bgpFilter("no-import", { importV4: [{ action: "Reject" }] })],
        bgpPeers: routers(["no-import"], ["no-import"]),
      },
    },
    nodes: ["a", "b", "c", "d"],
    says: "importV4[0] of BGPFilter no-import",
  },
  "a BGPPeer with another AS than its node": {
    code: "BGP_AS_MISMATCH",
    severity: "refuse",
    to: "none",
    cluster: {
      view: {
        bgpPeers: [
          ...healthyCluster("none").view.bgpPeers,
          {
            apiVersion: "projectcalico.org/v3",
            kind: "BGPPeer",
            metadata: { name: "to-a" },
            spec: { peerIP: "172.139.20.71", asNumber: 65001 },
          },
        ],
      },
    },
    says: "BGPPeer to-a expects AS 65001 at 172.139.20.71, where node a has AS 64512",
  },
  "a peer that says the AS is wrong": {
    code: "BGP_AS_MISMATCH",
    severity: "refuse",
    to: "ipip-cross-subnet",
    cluster: {
      hosts: {
        a: {
          bgp: peers("a", {
            state: "Idle",
            reason: "received OPEN Message Error / Bad Peer AS",
          }),
        },
      },
    },
    nodes: ["a"],
    says: "a BGP peer answers that the AS is wrong",
  },
  "a session that is down": {
    code: "BGP_SESSION_DOWN",
    severity: "warn",
    to: "ipip-cross-subnet",
    cluster: { hosts: { a: { bgp: peers("a", { state: "Active", reason: "no answer" }) } } },
    nodes: ["a"],
    says: "a with 172.139.20.1: Active, no answer",
  },
  "a session that is down where the mesh is to end": {
    code: "BGP_SESSION_DOWN",
    severity: "refuse",
    to: undefined,
    cluster: {
      spec: { mesh: "off" },
      hosts: { a: { bgp: peers("a", { state: "Active" }) } },
    },
    nodes: ["a"],
    says: "are down",
  },
  "blocks that BGP did not tell": {
    code: "BGP_ROUTES_MISSING",
    severity: "refuse",
    to: "none",
    cluster: {
      hosts: { a: { bgp: bgp("a", { missing: { count: 1, blocks: ["10.244.3.0/26"] } }) } },
    },
    nodes: ["a"],
    says: "a lacks 1: 10.244.3.0/26",
  },
  "no router that knows the blocks": {
    code: "ROUTER_WITHOUT_ROUTES",
    severity: "refuse",
    to: "none",
    cluster: {
      hosts: { a: { bgp: bgp("a", { peers: [] }) }, b: { bgp: bgp("b", { peers: [] }) } },
    },
    nodes: ["a", "b"],
    says: "by 172.139.20.1 (a), and no router is told of the blocks",
  },
  "a router, but not the one on the way": {
    code: "ROUTER_WITHOUT_ROUTES",
    severity: "warn",
    to: "none",
    cluster: { hosts: { a: { bgp: peers("a", { address: "172.139.20.2" }) } } },
    nodes: ["a"],
    says: "which is none of the BGP peers",
  },
  "Kubernetes, to plain routing": {
    code: "HOST_SOURCE_CHANGES",
    severity: "warn",
    to: "none",
    cluster: {
      view: withNode("a", ({ spec }) => ({
        ...spec,
        orchRefs: [{ nodeName: "a", orchestrator: "k8s" }],
      })),
    },
    says: "hosts would send to remote pods from their own address",
  },
  "an old kernel, to VXLAN": {
    code: "KNOWN_FAULT",
    severity: "warn",
    to: "vxlan",
    cluster: { hosts: { a: { kernel: "5.4.0-150-generic" } } },
    nodes: ["a"],
    says: "kernels before 5.7",
  },
  "vmxnet3, to VXLAN": {
    code: "KNOWN_FAULT",
    severity: "warn",
    to: "vxlan-cross-subnet",
    cluster: { hosts: { b: { driver: "vmxnet3" } } },
    nodes: ["b"],
    says: "vmxnet3",
  },
  "EC2, to plain routing": {
    code: "KNOWN_FAULT",
    severity: "warn",
    to: "none",
    cluster: { hosts: { c: { driver: "ena" } } },
    nodes: ["c"],
    says: "source/destination checks",
  },
};

describe("a trap is found:", () => {
  for (const [name, { code, severity, to, cluster, nodes = [], says }] of Object.entries(rows)) {
    test(`${name}: ${code}`, () => {
      const all = findTraps(healthyCluster(to, cluster));
      const found = all.filter((trap) => trap.code === code);
      assert.deepEqual(
        found.map((trap) => [trap.severity, trap.nodes]),
        [[severity, nodes]],
        JSON.stringify(all, null, 1),
      );
      assert.ok(found[0]?.message.includes(says), found[0]?.message ?? "");
      assert.ok((found[0]?.remedy.length ?? 0) > 10);
    });
  }

  test("every trap of the catalogue has a case", () => {
    const tried = new Set(Object.values(rows).map(({ code }) => code));
    assert.deepEqual(
      trapCatalogue.map(({ code }) => code).filter((code) => !tried.has(code)),
      [],
    );
  });
});

test("what refuses comes before what warns, and at most 100 nodes are named", () => {
  const nodes = Array.from({ length: 120 }, (_, index) => ({
    ...healthyNode("a"),
    metadata: { name: `n${index}` },
    spec: { bgp: { ipv4Address: `10.0.${index}.1/24` } },
  }));
  const traps = findTraps({
    ...healthyCluster("ipip"),
    view: { ...healthyCluster("ipip").view, nodes },
  });
  const severities = traps.map(({ severity }) => severity);
  assert.deepEqual(severities, [...severities].sort());
  const silent = traps.find(({ code }) => code === "NODE_WITHOUT_AGENT");
  assert.equal(silent?.nodes.length, 100);
  assert.match(silent?.message ?? "", /and 116 more/);
});

describe("docs/reference/traps.md", () => {
  const path = new URL("../../../docs/reference/traps.md", import.meta.url);
  const page = readFileSync(path, "utf8");
  const table = page.split("\n").filter((line) => line.startsWith("| `"));

  test("describes every trap of the catalogue, in its order", () => {
    const wanted = trapCatalogue.map(
      ({ code, meaning, remedy }) => `| \`${code}\` | ${meaning} | ${remedy} |`,
    );
    assert.deepEqual(table, wanted);
  });

  test("a code is upper case, meaning and remedy are sentences", () => {
    const codes = trapCatalogue.map(({ code }) => code);
    assert.equal(new Set(codes).size, codes.length);
    for (const { code, meaning, remedy } of trapCatalogue) {
      assert.match(code, /^[A-Z]+[0-9]*(_[A-Z0-9]+)*$/);
      assert.match(meaning, /^[A-Zi].*\.$/, code);
      assert.match(remedy, /^[A-Z].*\.$/, code);
    }
  });
});

test("a pool that BGP does not tell may change to a mode whose routes the datastore brings", () => {
  const view = felix({ programClusterRoutes: "EnabledIPIPOnly" });
  const pool = { ...modeFields("vxlan"), disableBGPExport: true };
  for (const to of ["ipip", "ipip-cross-subnet"] as const) {
    assert.deepEqual(findTraps(healthyCluster(to, { pool, view })), []);
    assert.notDeepEqual(findTraps(healthyCluster(to, { pool })), []);
  }
});

test("a filter towards routers is no trap where nodes learn of blocks another way", () => {
  const reflector = bgpPeer({ peerSelector: "all()" });
  const told = { ...noPods, bgpPeers: [...routers(["no-pods"], ["no-pods"]), reflector] };
  const found = (to: ModeName, view: Cluster["view"]) =>
    findTraps(healthyCluster(to, { pool: modeFields("vxlan"), ...(view && { view }) })).filter(
      ({ code }) => code === "BGP_FILTER_REFUSES_POOL",
    );
  assert.deepEqual(found("ipip", { ...noMesh, ...told }), []);
  assert.deepEqual(found("ipip", told), []);
  assert.deepEqual(found("vxlan-cross-subnet", told), []);
  assert.equal(found("none", { ...noMesh, ...told })[0]?.severity, "warn");
});
