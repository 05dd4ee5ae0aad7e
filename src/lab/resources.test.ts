import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeResource, parseSelector } from "../model/index.ts";
import { endpointOf } from "./pods.ts";
import { labResources } from "./resources.ts";
import { routerConfigOf, routerConfigSchema, speakerConfigOf } from "./router/config.ts";
import { topologyOf } from "./topology.ts";

const topology = topologyOf({ nodes: 3, podsPerNode: 1 });
const resources = labResources(topology, "vxlan-cross-subnet");

test("what the lab creates, in its order", () => {
  assert.deepEqual(
    resources.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    [
      "BGPConfiguration default",
      "IPPool default-ipv4-ippool",
      "Node node1",
      "Node node2",
      "Node node3",
      "BGPPeer lab-router-20",
      "BGPPeer lab-router-30",
    ],
  );
});

test("the model accepts every one of them", () => {
  for (const resource of resources) {
    assert.doesNotThrow(() => decodeResource(structuredClone(resource)), resource.metadata.name);
  }
});

test("each node is selected by the router of its own subnet, and by no other", () => {
  const selected = resources.flatMap((peer) => {
    if (peer.kind !== "BGPPeer") return [];
    const selector = parseSelector(peer.spec.nodeSelector ?? "");
    return resources
      .filter((node) => node.kind === "Node" && selector.matches(node.metadata.labels ?? {}))
      .map((node) => `${node.metadata.name} ${peer.spec.peerIP}`);
  });
  assert.deepEqual(selected, ["node1 172.139.20.1", "node2 172.139.20.1", "node3 172.139.30.1"]);
});

test("the router waits for every node and tells them nothing", () => {
  const config = routerConfigOf(topology, "/run/x.sock");
  assert.deepEqual(routerConfigSchema.parse(JSON.parse(JSON.stringify(config))), config);
  const speaker = speakerConfigOf(config);
  assert.deepEqual([speaker.localAs, speaker.originate], [65000, []]);
  assert.equal(speaker.peers.length, 3);
  for (const peer of speaker.peers) {
    assert.equal(peer.passive, true);
    assert.deepEqual([peer.remoteAs, peer.exportPolicy], [64512, [{ action: "reject" }]]);
  }
});

test("a pod's endpoint is named by the rule and holds one /32", () => {
  const record = {
    node: "node1",
    address: "10.244.1.3",
    containerId: "c0",
    interfaceName: "cali0123456789a",
  };
  const endpoint = endpointOf(topology.pods[0]!, record, "aa:bb:cc:dd:ee:ff");
  assert.equal(endpoint.metadata.name, "node1-k8s-pod1a-eth0");
  assert.deepEqual(endpoint.spec.ipNetworks, ["10.244.1.3/32"]);
  assert.doesNotThrow(() => decodeResource(structuredClone(endpoint)));
});

test("a dual-stack lab has a pool, node addresses and sessions of IPv6 as well", () => {
  const both = topologyOf({ nodes: 2, podsPerNode: 1, dualStack: true });
  const made = labResources(both, "ipip-cross-subnet");
  for (const resource of made) {
    assert.doesNotThrow(() => decodeResource(structuredClone(resource)), resource.metadata.name);
  }
  const pool = made.find(({ metadata }) => metadata.name === "default-ipv6-ippool");
  assert.ok(pool?.kind === "IPPool");
  const { ipipMode, vxlanMode, blockSize } = pool.spec;
  assert.deepEqual([ipipMode, vxlanMode, blockSize], ["Never", "CrossSubnet", 122]);
  const node = made.find(({ metadata }) => metadata.name === "node2");
  assert.ok(node?.kind === "Node");
  assert.equal(node.spec.bgp?.ipv6Address, "2001:db8:30::75/64");
  const { peers } = speakerConfigOf(routerConfigOf(both, "/run/x.sock"));
  assert.deepEqual(
    peers.map(({ name, families }) => `${name} ${families}`),
    ["node1 ipv4-unicast", "node1-v6 ipv6-unicast", "node2 ipv4-unicast", "node2-v6 ipv6-unicast"],
  );
});
