import assert from "node:assert/strict";
import { test } from "node:test";
import { type PeerConfig, Speaker, type SpeakerConfig } from "../../bgp/index.ts";
import type { ClusterView } from "../../facts/index.ts";
import { clusterFacts } from "../../facts/index.ts";
import { FakeClock, formatAddress, formatPrefix, ipv4 } from "../../lib/index.ts";
import { silentLog } from "../../lib/log/index.ts";
import { vxlanMacOf } from "../../mode/index.ts";
import type { BGPConfiguration, BGPPeer } from "../../model/index.ts";
import { hashedRouterId } from "../router-id.ts";
import { affinityResource, clusterView, nodeResource, poolResource } from "../testing.ts";
import { bgpPlan } from "./plan.ts";
import type { SecretReader } from "./session-options.ts";

const calico = "projectcalico.org/v3";
const peer = (name: string, spec: BGPPeer["spec"]): BGPPeer => ({
  apiVersion: calico,
  kind: "BGPPeer",
  metadata: { name },
  spec,
});
const configuration = (spec: BGPConfiguration["spec"], name = "default"): BGPConfiguration => ({
  apiVersion: calico,
  kind: "BGPConfiguration",
  metadata: { name },
  spec,
});

const secret: SecretReader = ({ name, key }) =>
  name === "bgp" ? { value: `${key}'s password` } : { problem: "no such file" };

function peersOf(overrides: Partial<ClusterView>, node = "node1") {
  const view = clusterView(overrides);
  const facts = clusterFacts(view, node, vxlanMacOf);
  const plan = bgpPlan({ ...facts, view, node, serviceCidrs: [], hashedRouterId, secret })!;
  return {
    ...plan,
    lines: plan.config.peers.map(
      (item) =>
        `${item.name} ${formatAddress(item.address)}:${item.port} as ${item.remoteAs} ${plan.types.get(item.name)}${item.passive ? " passive" : ""}`,
    ),
  };
}

test("every node meshes with every other; the lower address as text waits", () => {
  assert.deepEqual(peersOf({}).lines, [
    "Mesh_172_139_20_76 172.139.20.76:179 as 64512 node-to-node mesh passive",
    "Mesh_172_139_30_75 172.139.30.75:179 as 64512 node-to-node mesh passive",
  ]);
  assert.deepEqual(peersOf({}, "node2").lines, [
    "Mesh_172_139_20_75 172.139.20.75:179 as 64512 node-to-node mesh",
    "Mesh_172_139_30_75 172.139.30.75:179 as 64512 node-to-node mesh passive",
  ]);
});

test("the mesh can be turned off, and its AS set", () => {
  assert.deepEqual(
    peersOf({ bgpConfigurations: [configuration({ nodeToNodeMeshEnabled: false })] }).lines,
    [],
  );
  const { config, lines } = peersOf({ bgpConfigurations: [configuration({ asNumber: 65010 })] });
  assert.equal(config.localAs, 65010);
  assert.match(lines[0] ?? "", /as 65010/);
});

const peerings: { name: string; peer: BGPPeer; on: Record<string, string[]> }[] = [
  {
    name: "a global peer is everybody's",
    peer: peer("tor", { peerIP: "172.139.20.1", asNumber: 65000 }),
    on: {
      node1: ["Global_172_139_20_1 172.139.20.1:179 as 65000 global"],
      node3: ["Global_172_139_20_1 172.139.20.1:179 as 65000 global"],
    },
  },
  {
    name: "a selected peer is the selected nodes'",
    peer: peer("rack20", {
      peerIP: "172.139.20.1:1179",
      asNumber: 65000,
      nodeSelector: "rack == '20'",
    }),
    on: {
      node1: ["Node_172_139_20_1_port_1179 172.139.20.1:1179 as 65000 node specific"],
      node3: [],
    },
  },
  {
    name: "a node's own peer is that node's",
    peer: peer("own", { peerIP: "172.139.30.1", asNumber: 65000, node: "node3" }),
    on: { node1: [], node3: ["Node_172_139_30_1 172.139.30.1:179 as 65000 node specific"] },
  },
  {
    name: "peers can be nodes, selected by their labels; those are configured likewise",
    peer: peer("reflectors", { nodeSelector: "rack == '30'", peerSelector: "rack == '20'" }),
    on: {
      node1: ["Node_172_139_30_75 172.139.30.75:179 as 64512 node specific"],
      node3: [
        "Node_172_139_20_75 172.139.20.75:179 as 64512 node specific",
        "Node_172_139_20_76 172.139.20.76:179 as 64512 node specific",
      ],
    },
  },
  {
    name: "peers that are nodes can be configured by hand",
    peer: peer("reflectors", {
      ...{ nodeSelector: "rack == '30'", peerSelector: "rack == '20'", reversePeering: "Manual" },
    }),
    on: { node1: [] },
  },
  {
    name: "a peer with the node's own address is dropped",
    peer: peer("self", { peerIP: "172.139.20.75", asNumber: 64512, reversePeering: "Manual" }),
    on: { node1: [] },
  },
  {
    name: "a node that is named by its address answers whoever names it; of two global ends one waits",
    peer: peer("hub", { peerIP: "172.139.20.76" }),
    on: {
      node1: ["Global_172_139_20_76 172.139.20.76:179 as 64512 global passive"],
      node2: [
        "Node_172_139_20_75 172.139.20.75:179 as 64512 node specific",
        "Node_172_139_30_75 172.139.30.75:179 as 64512 node specific",
      ],
      node3: ["Global_172_139_20_76 172.139.20.76:179 as 64512 global"],
    },
  },
  {
    name: "a node that is named by its address, for some nodes: both ends dial",
    peer: peer("hub", { node: "node1", peerIP: "172.139.20.76:179", asNumber: 64512 }),
    on: {
      node1: ["Node_172_139_20_76 172.139.20.76:179 as 64512 node specific"],
      node2: ["Node_172_139_20_75 172.139.20.75:179 as 64512 node specific"],
      node3: [],
    },
  },
  {
    name: "what has a node's address, but another AS, is not the node",
    peer: peer("hub", { peerIP: "172.139.20.76", asNumber: 65000 }),
    on: {
      node1: ["Global_172_139_20_76 172.139.20.76:179 as 65000 global"],
      node2: [],
    },
  },
  {
    name: "nor has it another port",
    peer: peer("hub", { peerIP: "172.139.20.76:1179" }),
    on: {
      node1: ["Global_172_139_20_76_port_1179 172.139.20.76:1179 as 64512 global"],
      node2: [],
    },
  },
  {
    name: "a node named by its address can be configured by hand",
    peer: peer("hub", { peerIP: "172.139.20.76", reversePeering: "Manual" }),
    on: { node2: [] },
  },
  {
    name: "who peers with all nodes by a selector is answered by a session of its own kind",
    peer: peer("hub", { peerSelector: "rack == '30'" }),
    on: {
      node1: ["Global_172_139_30_75 172.139.30.75:179 as 64512 global passive"],
      node3: [
        "Node_172_139_20_75 172.139.20.75:179 as 64512 node specific",
        "Node_172_139_20_76 172.139.20.76:179 as 64512 node specific",
      ],
    },
  },
];
for (const { name, peer: item, on } of peerings) {
  test(name, () => {
    const bgpConfigurations = [configuration({ nodeToNodeMeshEnabled: false })];
    for (const [node, lines] of Object.entries(on)) {
      assert.deepEqual(peersOf({ bgpConfigurations, bgpPeers: [item] }, node).lines, lines, node);
    }
  });
}

test("bad peers are named and the others kept", () => {
  const { lines, problems } = peersOf({
    bgpPeers: [
      peer("a", { peerIP: "nonsense" }),
      peer("b", { peerIP: "192.0.2.1", asNumber: 65000, nodeSelector: "rack ==" }),
    ],
  });
  assert.equal(lines.length, 2);
  assert.equal(problems.length, 2);
  assert.match(problems.join("\n"), /BGPPeer a: bad peerIP nonsense/);
});

const router = { peerIP: "192.0.2.1", asNumber: 65000 } as const;
const peering: { name: string; spec: BGPPeer["spec"]; said: Partial<PeerConfig> }[] = [
  { name: "nothing", spec: {}, said: {} },
  {
    name: "a password",
    spec: { password: { secretKeyRef: { name: "bgp", key: "tor" } } },
    said: { password: "tor's password" },
  },
  { name: "TTL security", spec: { ttlSecurity: 2 }, said: { ttlSecurityHops: 2 } },
  { name: "TTL security of no hops", spec: { ttlSecurity: 0 }, said: {} },
  { name: "a restart time", spec: { maxRestartTime: "1m30s" }, said: { restartTimeSeconds: 90 } },
  {
    name: "a restart time beyond what can be told",
    spec: { maxRestartTime: "2h" },
    said: { restartTimeSeconds: 4095 },
  },
  { name: "another AS for this side", spec: { localASNumber: 65010 }, said: { localAs: 65010 } },
  { name: "its own AS for this side", spec: { localASNumber: 64512 }, said: {} },
  {
    name: "own AS numbers in paths",
    spec: { numAllowedLocalASNumbers: 2 },
    said: { allowedLocalAs: 2 },
  },
  {
    name: "too many of them",
    spec: { numAllowedLocalASNumbers: 999 },
    said: { allowedLocalAs: 255 },
  },
  { name: "fewer than none of them", spec: { numAllowedLocalASNumbers: -1 }, said: {} },
  { name: "the next hop kept", spec: { keepOriginalNextHop: true }, said: { nextHop: "keep" } },
  {
    name: "the next hop kept, to an internal peer",
    spec: { keepOriginalNextHop: true, asNumber: 64512 },
    said: {},
  },
  {
    name: "the next hop kept, to a peer made internal by the AS of this side",
    spec: { keepOriginalNextHop: true, localASNumber: 65000 },
    said: { localAs: 65000 },
  },
  { name: "no keepalive time", spec: { keepaliveTime: "0s" }, said: {} },
];
for (const { name, spec, said } of peering) {
  test(`a BGPPeer says: ${name}`, () => {
    const bgpConfigurations = [configuration({ nodeToNodeMeshEnabled: false })];
    const bgpPeers = [peer("tor", { ...router, ...spec })];
    const { config, problems } = peersOf({ bgpConfigurations, bgpPeers });
    const [made] = config.peers;
    const plain = peersOf({ bgpConfigurations, bgpPeers: [peer("tor", router)] }).config.peers[0]!;
    const fields = ["password", "ttlSecurityHops", "restartTimeSeconds", "localAs"] as const;
    const more = ["allowedLocalAs", "nextHop", "keepaliveSeconds"] as const;
    const found = [...fields, ...more].flatMap((field) =>
      made?.[field] === plain[field] ? [] : [[field, made?.[field]]],
    );
    assert.deepEqual(Object.fromEntries(found), said);
    assert.deepEqual(problems, []);
    assert.doesNotThrow(() => speaker(config), "the speaker takes it");
  });
}

/** Checks the configuration; does not run. */
function speaker(config: SpeakerConfig): Speaker {
  return new Speaker({ clock: new FakeClock(), log: silentLog, config });
}

test("peers that are nodes, and the mesh, have a password and a restart time too", () => {
  const password = { secretKeyRef: { name: "bgp", key: "mesh" } };
  const options = (spec: Partial<ClusterView>) =>
    peersOf(spec).config.peers.map((item) => [item.password, item.restartTimeSeconds]);
  assert.deepEqual(
    options({
      bgpConfigurations: [
        configuration({ nodeMeshPassword: password, nodeMeshMaxRestartTime: "40s" }),
      ],
    }),
    [
      ["mesh's password", 40],
      ["mesh's password", 40],
    ],
  );
  const selected = peer("nodes", { peerSelector: "all()", password, maxRestartTime: "50s" });
  assert.deepEqual(options({ bgpPeers: [selected] }), [
    ["mesh's password", 50],
    ["mesh's password", 50],
  ]);
});

test("a password that cannot be had or used is said aloud, and the session has none", () => {
  const of = (name: string, optional?: boolean) =>
    peersOf({
      bgpConfigurations: [configuration({ nodeToNodeMeshEnabled: false })],
      bgpPeers: [
        peer("tor", {
          ...router,
          password: { secretKeyRef: { name, key: "k".repeat(100), ...(optional && { optional }) } },
        }),
      ],
    });
  const missing = of("nothing");
  assert.equal(missing.config.peers[0]?.password, undefined);
  assert.match(
    missing.problems[0] ?? "",
    /^BGPPeer tor: password nothing\/k+: no such file; peering/,
  );
  assert.deepEqual(of("nothing", true).problems, []);
  const long = of("bgp");
  assert.equal(long.config.peers[0]?.password, undefined);
  assert.match(long.problems[0] ?? "", /111 bytes; TCP MD5 takes 80; peering without a password/);
});

test("two peers with one address are one session, and the second is named", () => {
  const { lines, problems, config } = peersOf({
    bgpConfigurations: [configuration({ nodeToNodeMeshEnabled: false })],
    bgpPeers: [peer("a", router), peer("b", { ...router, peerIP: "192.0.2.1:1179" })],
  });
  assert.equal(lines.length, 1);
  assert.deepEqual(problems, [
    "Global_192_0_2_1_port_1179: there is a session with that address already, Global_192_0_2_1",
  ]);
  assert.doesNotThrow(() => speaker(config));
});

test("own blocks are originated", () => {
  const { originate } = peersOf({}).config;
  assert.deepEqual(
    originate.map((route) => formatPrefix(route.prefix)),
    ["10.244.1.0/26"],
  );
});

test("a node without an address does not speak", () => {
  const view = clusterView({ nodes: [{ ...nodeResource("node1", ""), spec: {} }] });
  const facts = { blocks: [], workloads: [], serviceCidrs: [] };
  const input = { view, node: "node1", ...facts, hashedRouterId, secret };
  assert.equal(bgpPlan(input), undefined);
});

const dualStack = ["node1", "node2", "node3"].map((name, index) => {
  const subnet = index < 2 ? 20 : 30;
  const node = nodeResource(name, `172.139.${subnet}.${75 + (index % 2)}/24`);
  if (name === "node3") return node;
  const bgp = { ...node.spec.bgp, ipv6Address: `2001:db8:${subnet}::${75 + index}/64` };
  return { ...node, spec: { ...node.spec, bgp } };
});

test("IPv6 has sessions of its own, between nodes that both have it", () => {
  const { config, lines } = peersOf({ nodes: dualStack });
  assert.deepEqual(lines, [
    "Mesh_172_139_20_76 172.139.20.76:179 as 64512 node-to-node mesh passive",
    "Mesh_2001_db8_20__76 2001:db8:20::76:179 as 64512 node-to-node mesh passive",
    "Mesh_172_139_30_75 172.139.30.75:179 as 64512 node-to-node mesh passive",
  ]);
  const [four, six] = config.peers;
  assert.deepEqual([four?.families, six?.families], [["ipv4-unicast"], ["ipv6-unicast"]]);
  assert.equal(formatAddress(six?.localAddress ?? ipv4("0.0.0.0")), "2001:db8:20::75");
});

test("a BGPPeer with an IPv6 address is for nodes with IPv6 only", () => {
  const bgpPeers = [peer("router6", { peerIP: "2001:db8:20::1", asNumber: 65000 })];
  const names = (node: string) =>
    peersOf({ nodes: dualStack, bgpPeers }, node).config.peers.map(({ name }) => name);
  assert.ok(names("node1").includes("Global_2001_db8_20__1"));
  assert.ok(!names("node3").some((name) => name.startsWith("Global")));
});

test("a node without IPv4 has a router id made of its name", () => {
  const [node] = dualStack;
  const spec = { bgp: { ipv6Address: "2001:db8:20::75/64" } };
  const { config } = peersOf({ nodes: [{ ...node!, spec }] });
  // printf node1 | sha256sum
  assert.equal(formatAddress(config.routerId), "202.18.243.27");
});

test("blocks of both families are told, and addresses of pods outside of the own blocks", () => {
  const six = poolResource({ cidr: "fd00:244::/64", ipipMode: "Never" }, "default-ipv6-ippool");
  const pod = {
    apiVersion: calico,
    kind: "WorkloadEndpoint",
    metadata: { name: "node1-k8s-pod-eth0", namespace: "default" },
    spec: {
      node: "node1",
      interfaceName: "cali0123456789a",
      ipNetworks: ["10.244.1.5/32", "10.244.2.7/32", "192.0.2.7/32", "fd00:244::207/128"],
    },
  } as const;
  const { config } = peersOf({
    nodes: dualStack,
    pools: [poolResource(), six],
    affinities: [
      ...clusterView().affinities,
      affinityResource("node1", "fd00:244::100/122"),
      affinityResource("node1", "10.244.9.9/32"),
    ],
    workloads: [{ ...pod, spec: { ...pod.spec, ipNetworks: [...pod.spec.ipNetworks] } }],
  });
  assert.deepEqual(
    config.originate.map(({ prefix }) => formatPrefix(prefix)),
    [
      ...["10.244.1.0/26", "fd00:244::100/122"],
      ...["10.244.2.7/32", "192.0.2.7/32", "fd00:244::207/128"],
    ],
  );
});

test("with bindMode NodeIP a node listens on its address of each family", () => {
  const bgpConfigurations = [configuration({ bindMode: "NodeIP" })];
  const { config } = peersOf({ nodes: dualStack, bgpConfigurations });
  assert.deepEqual(config.listen?.[0]?.addresses?.map(formatAddress), [
    "172.139.20.75",
    "2001:db8:20::75",
  ]);
  assert.equal(peersOf({ nodes: dualStack }).config.listen?.[0]?.addresses, undefined);
});

test("of the object for one node only some fields are obeyed, and the others are named", () => {
  const own: BGPConfiguration["spec"] = {
    ...{ listenPort: 1180, ignoredInterfaces: ["eth9"], logSeverityScreen: "Debug" },
    bindMode: "NodeIP",
    ipv4NormalRoutePriority: 7,
    serviceLoadBalancerAggregation: "Enabled",
  };
  const bgpConfigurations = [
    configuration({ listenPort: 1179, ipv4NormalRoutePriority: 512 }),
    configuration(own, "node.node1"),
    configuration({ bindMode: "NodeIP" }, "node.node2"),
  ];
  const { config, problems } = peersOf({ bgpConfigurations });
  assert.deepEqual(config.listen, [{ port: 1180 }]);
  assert.equal(config.peers[0]?.port, 1179);
  assert.deepEqual(config.peers[0]?.exportPolicy?.[0]?.set, { localPref: 2_147_483_647 - 512 });
  assert.deepEqual(problems, [
    "BGPConfiguration node.node1: spec.ignoredInterfaces is obeyed in default only",
    "BGPConfiguration node.node1: spec.bindMode is obeyed in default only",
    "BGPConfiguration node.node1: spec.ipv4NormalRoutePriority is obeyed in default only",
  ]);
  assert.equal(peersOf({ bgpConfigurations }, "node2").config.listen?.[0]?.addresses, undefined);
});
