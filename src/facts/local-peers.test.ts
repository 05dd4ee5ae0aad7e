import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress } from "../lib/index.ts";
import type { BGPConfiguration, BGPPeer, WorkloadEndpoint } from "../model/index.ts";
import { localPeerings } from "./local-peers.ts";
import { clusterView } from "./testing/resources.ts";

const apiVersion = "projectcalico.org/v3";
const peer = (name: string, spec: BGPPeer["spec"]): BGPPeer => ({
  ...{ apiVersion, kind: "BGPPeer" },
  metadata: { name },
  spec: { asNumber: 65401, ...spec },
});
const pod = (name: string, node: string, spec: Partial<WorkloadEndpoint["spec"]> = {}) =>
  ({
    ...{ apiVersion, kind: "WorkloadEndpoint" },
    metadata: { name: `${node}-k8s-${name}-eth0`, namespace: "default", labels: { color: name } },
    spec: { node, interfaceName: `cali${name}`, ipNetworks: ["10.244.1.5/32"], ...spec },
  }) as WorkloadEndpoint;
const configuration = (name: string, spec: BGPConfiguration["spec"]): BGPConfiguration => ({
  ...{ apiVersion, kind: "BGPConfiguration" },
  metadata: { name },
  spec,
});

function found(bgpPeers: readonly BGPPeer[], more: Parameters<typeof clusterView>[0] = {}) {
  const networks = ["10.244.1.6/32", "fd00:244::6/128", "10.244.1.66/32"];
  const workloads = [
    pod("red", "node1"),
    pod("blue", "node1", { ipNetworks: networks }),
    pod("red", "node2", { ipNetworks: ["10.244.2.5/32"] }),
  ];
  return localPeerings(clusterView({ workloads, bgpPeers, ...more }), "node1").map(
    ({ peer: { metadata }, address, device, hostAddress }) =>
      `${formatAddress(address)} ${device} by ${metadata.name}${hostAddress === undefined ? "" : ` at ${formatAddress(hostAddress)}`}`,
  );
}

const red = { localWorkloadSelector: "color == 'red'" };
const rows: [name: string, peers: BGPPeer[], expected: string[]][] = [
  ["no selector", [peer("tor", { peerIP: "192.0.2.1" })], []],
  ["pods of the node that it selects", [peer("red", red)], ["10.244.1.5 calired by red"]],
  [
    "of each pod an address of each family",
    [peer("blue", { localWorkloadSelector: "color == 'blue'" })],
    ["10.244.1.6 caliblue by blue", "fd00:244::6 caliblue by blue"],
  ],
  ["not on a node that has not the peering", [peer("red", { ...red, node: "node2" })], []],
  [
    "on nodes that are selected",
    [peer("red", { ...red, nodeSelector: "rack == '20'" })],
    ["10.244.1.5 calired by red"],
  ],
  [
    "of two the one for all nodes",
    [peer("a", { ...red, node: "node1" }), peer("b", red)],
    ["10.244.1.5 calired by b"],
  ],
  [
    "a selector that cannot be read: none",
    [peer("red", { localWorkloadSelector: "color ==" })],
    [],
  ],
];
for (const [name, peers, expected] of rows) {
  test(`pods that are peers: ${name}`, () => assert.deepEqual(found(peers), expected));
}

test("the host's address for them is that of all nodes, in the family of the pod's", () => {
  const addresses = { localWorkloadPeeringIPV4: "169.254.0.179", localWorkloadPeeringIPV6: "1.2" };
  const bgpConfigurations = [
    configuration("default", addresses),
    configuration("node.node1", { localWorkloadPeeringIPV4: "169.254.0.180" }),
  ];
  assert.deepEqual(
    found([peer("all", { localWorkloadSelector: "all()" })], { bgpConfigurations }),
    [
      "10.244.1.5 calired by all at 169.254.0.179",
      "10.244.1.6 caliblue by all at 169.254.0.179",
      "fd00:244::6 caliblue by all",
    ],
  );
});

test("a pod without a device or an address is none", () => {
  const workloads = [
    pod("red", "node1", { interfaceName: "" }),
    pod("red", "node1", { ipNetworks: [] }),
  ];
  assert.deepEqual(found([peer("red", red)], { workloads }), []);
});
