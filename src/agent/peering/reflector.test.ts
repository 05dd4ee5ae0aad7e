/** Nodes with a route reflector cluster id: no mesh, and whose routes they pass on. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { clusterFacts } from "../../facts/index.ts";
import { formatAddress, formatPrefix, prefix } from "../../lib/index.ts";
import { vxlanMacOf } from "../../mode/index.ts";
import type { BGPPeer, Node } from "../../model/index.ts";
import { hashedRouterId } from "../router-id.ts";
import { clusterView, nodeResource } from "../testing.ts";
import { bgpPlan } from "./plan.ts";

function node(name: string, address: string, cluster?: string): Node {
  const made = nodeResource(name, `${address}/24`);
  const bgp = { ...made.spec.bgp, ...(cluster && { routeReflectorClusterID: cluster }) };
  return { ...made, spec: { ...made.spec, bgp } };
}

const nodes = [
  node("node1", "172.139.20.75", "244.0.0.1"),
  node("node2", "172.139.20.76", "244.0.0.1"),
  node("node3", "172.139.30.75", "244.0.0.2"),
  node("node4", "172.139.30.76"),
];
const peer = (name: string, spec: BGPPeer["spec"]): BGPPeer => ({
  apiVersion: "projectcalico.org/v3",
  kind: "BGPPeer",
  metadata: { name },
  spec,
});

const serviceCidrs = [prefix("10.96.0.0/12")];

function configOf(name: string, bgpPeers: readonly BGPPeer[]) {
  const view = clusterView({ nodes, bgpPeers });
  const facts = clusterFacts(view, name, vxlanMacOf);
  const secret = () => ({});
  return bgpPlan({ ...facts, view, node: name, serviceCidrs, hashedRouterId, secret })!.config;
}

const clients = (name: string, bgpPeers: readonly BGPPeer[]) =>
  configOf(name, bgpPeers).peers.map(
    ({ address, routeReflectorClient }) =>
      `${formatAddress(address)}${routeReflectorClient ? " client" : ""}`,
  );

test("internal peers of another cluster, or of none, are clients; the reflectors' own mesh is not", () => {
  const all = [peer("all", { peerSelector: "all()" })];
  assert.deepEqual(clients("node1", all), [
    "172.139.20.76",
    "172.139.30.75 client",
    "172.139.30.76 client",
  ]);
  // A client has none itself.
  assert.ok(clients("node4", all).every((line) => !line.includes("client")));
});

test("peers by address are looked up among the nodes; external ones are no clients", () => {
  const peers = [
    peer("a", { peerIP: "172.139.20.76", asNumber: 64512 }),
    peer("b", { peerIP: "172.139.30.76", asNumber: 64512 }),
    peer("c", { peerIP: "192.0.2.1", asNumber: 65000 }),
    peer("d", { peerIP: "192.0.2.2", asNumber: 64512 }),
    peer("e", { peerIP: "192.0.2.3", asNumber: 65000, localASNumber: 65000 }),
  ];
  assert.deepEqual(clients("node1", peers), [
    "172.139.20.76",
    "172.139.30.76 client",
    "192.0.2.1",
    "192.0.2.2 client",
    "192.0.2.3 client",
  ]);
});

test("a reflector's cluster id is the node's; others have none", () => {
  const { clusterId } = configOf("node1", []);
  assert.equal(clusterId !== undefined && formatAddress(clusterId), "244.0.0.1");
  assert.equal(configOf("node4", []).clusterId, undefined);
  assert.deepEqual(configOf("node1", []).peers, [], "no mesh");
});

test("service addresses are handed on by reflectors alone", () => {
  const all = [peer("all", { peerSelector: "all()" })];
  const handsOn = (name: string) =>
    configOf(name, all).peers[0]?.exportPolicy?.some(
      ({ action, prefixes = [] }) =>
        action === "accept" &&
        prefixes.some(({ prefix }) => formatPrefix(prefix) === "10.96.0.0/12"),
    );
  assert.equal(handsOn("node1"), true);
  assert.equal(handsOn("node4"), false);
});
