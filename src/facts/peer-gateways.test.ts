import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress } from "../lib/index.ts";
import type { BGPPeer } from "../model/index.ts";
import { peerGateways } from "./peer-gateways.ts";
import { clusterView } from "./testing/resources.ts";

function gateways(specs: readonly BGPPeer["spec"][], node = "node1"): string[] {
  const bgpPeers = specs.map((spec, at) => ({
    ...{ apiVersion: "projectcalico.org/v3", kind: "BGPPeer" as const },
    ...{ metadata: { name: `peer${at}` }, spec },
  }));
  return peerGateways(clusterView({ bgpPeers }), node).map(
    ({ peer, gateway, reason }) =>
      `${formatAddress(peer)} by ${formatAddress(gateway)}, ${reason.replace("reachableBy of BGPPeer ", "")}`,
  );
}

const reachableBy = "172.139.20.9";
const rows: readonly [string, BGPPeer["spec"], boolean][] = [
  ["of every node", { peerIP: "192.0.2.1", reachableBy }, true],
  ["of this node", { peerIP: "192.0.2.1", reachableBy, node: "node1" }, true],
  ["of another node", { peerIP: "192.0.2.1", reachableBy, node: "node2" }, false],
  ["of selected nodes", { peerIP: "192.0.2.1", reachableBy, nodeSelector: "rack == '20'" }, true],
  ["of other nodes", { peerIP: "192.0.2.1", reachableBy, nodeSelector: "rack == '30'" }, false],
  ["of a selector that is none", { peerIP: "192.0.2.1", reachableBy, nodeSelector: "==" }, false],
  ["with a port", { peerIP: "192.0.2.1:1790", reachableBy }, true],
  ["by itself", { peerIP: "192.0.2.1", reachableBy: "192.0.2.1" }, false],
  ["of another family", { peerIP: "2001:db8::1", reachableBy }, false],
  ["without a gateway", { peerIP: "192.0.2.1" }, false],
];
for (const [name, spec, found] of rows) {
  test(`a peer ${name} ${found ? "has" : "has no"} gateway`, () => {
    assert.deepEqual(gateways([spec]), found ? ["192.0.2.1 by 172.139.20.9, peer0"] : []);
  });
}

test("of two gateways to one peer the first counts", () => {
  const other = { peerIP: "[2001:db8::1]:179", reachableBy: "2001:db8::9" };
  const specs = [
    { peerIP: "192.0.2.1", reachableBy },
    other,
    { ...other, reachableBy: "2001:db8::8" },
  ];
  assert.deepEqual(gateways(specs), [
    "192.0.2.1 by 172.139.20.9, peer0",
    "2001:db8::1 by 2001:db8::9, peer1",
  ]);
});
