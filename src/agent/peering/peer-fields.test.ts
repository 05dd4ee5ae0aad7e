/** Fields of a BGPPeer that hold for nodes it selects as for an address, and for the reverse of such a session. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PeerConfig } from "../../bgp/index.ts";
import { formatAddress } from "../../lib/index.ts";
import type { BGPConfiguration, BGPPeer, Node } from "../../model/index.ts";
import { hashedRouterId } from "../router-id.ts";
import { clusterView, nodeResource } from "../testing.ts";
import { bgpPlan } from "./plan.ts";

const calico = "projectcalico.org/v3";
const configuration = (name: string, spec: BGPConfiguration["spec"]): BGPConfiguration => ({
  ...{ apiVersion: calico, kind: "BGPConfiguration", metadata: { name }, spec },
});

/** node2 is of another AS. */
const other = nodeResource("node2", "172.139.20.76/24", { rack: "20" });
const nodes: Node[] = [
  nodeResource("node1", "172.139.20.75/24"),
  { ...other, spec: { bgp: { ...other.spec.bgp, asNumber: 65002 as never } } },
  nodeResource("node3", "172.139.30.75/24", { rack: "30" }),
];

function sessions(spec: BGPPeer["spec"], node = "node1"): readonly PeerConfig[] {
  const peer: BGPPeer = {
    ...{ apiVersion: calico, kind: "BGPPeer", metadata: { name: "p" } },
    spec,
  };
  const bgpConfigurations = [
    configuration("default", { nodeToNodeMeshEnabled: false }),
    configuration("node.node2", { listenPort: 1790 }),
  ];
  const view = clusterView({ nodes, bgpPeers: [peer], bgpConfigurations });
  const facts = { blocks: [], workloads: [], serviceCidrs: [] };
  return bgpPlan({ ...facts, view, node, hashedRouterId, secret: () => ({}) })!.config.peers;
}

const rows: readonly (readonly [BGPPeer["spec"], Partial<PeerConfig>, Partial<PeerConfig>])[] = [
  [{}, {}, {}],
  [{ keepaliveTime: "20s" }, { keepaliveSeconds: 20 }, { keepaliveSeconds: 20 }],
  [{ nextHopMode: "Self" }, { nextHop: "self" }, { nextHop: "self" }],
  [{ nextHopMode: "Keep" }, { nextHop: "keep" }, { nextHop: "keep" }],
  [{ keepOriginalNextHop: true }, { nextHop: "keep" }, {}],
];

const said = ({ keepaliveSeconds, nextHop }: PeerConfig) => ({
  ...(keepaliveSeconds !== undefined && { keepaliveSeconds }),
  ...(nextHop !== undefined && { nextHop }),
});

describe("sessions of BGPPeers", () => {
  test("take several paths to a prefix, those of the mesh one", () => {
    const [named] = sessions({ peerIP: "192.0.2.1", asNumber: 65000 as never });
    assert.deepEqual(named?.addPath, { receive: true });
    const facts = { blocks: [], workloads: [], serviceCidrs: [] };
    const view = clusterView({ nodes });
    const { config } = bgpPlan({
      ...{ ...facts, view, node: "node1", hashedRouterId, secret: () => ({}) },
    })!;
    assert.ok(config.peers.length > 0);
    for (const { addPath } of config.peers) assert.equal(addPath, undefined);
    assert.deepEqual(config.multipath, { maximumPaths: 16, relaxAsPath: true });
  });
});

describe("fields of sessions with selected nodes", () => {
  for (const [spec, external, internal] of rows) {
    test(JSON.stringify(spec), () => {
      const [two, three] = sessions({ peerSelector: "has(rack)", ...spec });
      assert.deepEqual([said(two!), said(three!)], [external, internal]);
      const [back] = sessions({ node: "node1", peerSelector: "has(rack)", ...spec }, "node2");
      assert.deepEqual(said(back!), external);
    });
  }

  test("the kernel's choice of a source, at both ends", () => {
    const from = (list: readonly PeerConfig[]) =>
      list.map(({ localAddress }) => localAddress && formatAddress(localAddress));
    const spec = { node: "node1", peerSelector: "has(rack)" };
    assert.deepEqual(from(sessions(spec)), ["172.139.20.75", "172.139.20.75"]);
    const free = { ...spec, sourceAddress: "None" } as const;
    assert.deepEqual(from(sessions(free)), [undefined, undefined]);
    assert.deepEqual(from(sessions(free, "node2")), [undefined]);
  });
});

describe("the port of a peer by address", () => {
  const ports: readonly (readonly [string, BGPPeer["spec"], number])[] = [
    [
      "is that on which the node listens",
      { peerIP: "172.139.20.76", asNumber: 65002 as never },
      1790,
    ],
    ["that is told goes before", { peerIP: "172.139.20.76:179", asNumber: 65002 as never }, 179],
    ["of another AS is no node's", { peerIP: "172.139.20.76", asNumber: 65009 as never }, 179],
    ["that is no node", { peerIP: "192.0.2.1", asNumber: 65002 as never }, 179],
  ];
  for (const [name, spec, port] of ports) {
    test(name, () => assert.equal(sessions({ node: "node1", ...spec })[0]?.port, port));
  }
});
