/** Sessions with pods of the node. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Speaker } from "../../bgp/index.ts";
import { type ClusterView, clusterFacts } from "../../facts/index.ts";
import { FakeClock, formatAddress } from "../../lib/index.ts";
import { silentLog } from "../../lib/log/index.ts";
import { vxlanMacOf } from "../../mode/index.ts";
import type { BGPFilter, BGPPeer, WorkloadEndpoint } from "../../model/index.ts";
import { hashedRouterId } from "../router-id.ts";
import { clusterView } from "../testing.ts";
import { bgpPlan } from "./plan.ts";

const apiVersion = "projectcalico.org/v3";
const peer = (spec: BGPPeer["spec"]): BGPPeer => ({
  ...{ apiVersion, kind: "BGPPeer" },
  metadata: { name: "pods" },
  spec,
});
const pod = {
  ...{ apiVersion, kind: "WorkloadEndpoint" },
  metadata: { name: "node1-k8s-red-eth0", namespace: "default", labels: { color: "red" } },
  spec: { node: "node1", interfaceName: "calired", ipNetworks: ["10.244.1.5/32", "fd00::5/128"] },
} as WorkloadEndpoint;
const noExport: BGPFilter = {
  ...{ apiVersion, kind: "BGPFilter" },
  metadata: { name: "none" },
  spec: { exportV4: [{ action: "Reject" }], importV4: [{ action: "Accept" }] },
};

function plan(overrides: Partial<ClusterView>) {
  const view = clusterView({ workloads: [pod], bgpFilters: [noExport], ...overrides });
  const facts = clusterFacts(view, "node1", vxlanMacOf);
  const secret = () => ({ value: "secret" });
  const of = { ...facts, view, node: "node1", serviceCidrs: [], hashedRouterId, secret };
  const made = bgpPlan(of)!;
  new Speaker({ clock: new FakeClock(), log: silentLog, config: made.config });
  const own = made.config.peers.filter(({ name }) => made.types.get(name) === "local workload");
  return { ...made, own };
}

const selecting = { asNumber: 65401, localWorkloadSelector: "color == 'red'" };

test("a pod is waited for, with the AS numbers and filters of its BGPPeer, and nothing else of it", () => {
  const spec: BGPPeer["spec"] = {
    ...selecting,
    localASNumber: 65400,
    filters: ["none"],
    password: { secretKeyRef: { name: "bgp", key: "pod" } },
    ...{ maxRestartTime: "10s", keepaliveTime: "10s", ttlSecurity: 1, nextHopMode: "Self" },
  };
  const { own, problems } = plan({ bgpPeers: [peer(spec)] });
  const [four, ...more] = own;
  assert.equal(more.length, 0, "the node has no IPv6 address, and no session over it");
  const { exportPolicy = [], importPolicy, address, ...rest } = four!;
  assert.equal(formatAddress(address), "10.244.1.5");
  assert.deepEqual(rest, {
    name: "Local_Workload_10_244_1_5",
    ...{ remoteAs: 65401, localAs: 65400, passive: true },
    ...{ families: ["ipv4-unicast"], addPath: { receive: true } },
  });
  assert.deepEqual(importPolicy, [{ action: "accept" }]);
  assert.ok(exportPolicy.some(({ action, prefixes }) => action === "reject" && !prefixes));
  assert.deepEqual(problems, []);
});

test("what has the pod's address by itself goes before; a selector nobody can read is told", () => {
  const router: BGPPeer = {
    ...peer({ peerIP: "10.244.1.5", asNumber: 65000 }),
    metadata: { name: "a" },
  };
  assert.deepEqual(plan({ bgpPeers: [peer(selecting), router] }).own, []);
  const bad = plan({ bgpPeers: [peer({ ...selecting, localWorkloadSelector: "color ==" })] });
  assert.deepEqual(bad.own, []);
  assert.match(bad.problems.join(), /^BGPPeer pods: expected string/);
});

test("to a reflector a pod of its own AS is a client", () => {
  const nodes = clusterView().nodes.map((node) => ({
    ...node,
    spec: { ...node.spec, bgp: { ...node.spec.bgp, routeReflectorClusterID: "244.0.0.1" } },
  }));
  const clients = (asNumber: number) =>
    plan({ nodes, bgpPeers: [peer({ ...selecting, asNumber })] }).own.map(
      ({ routeReflectorClient = false }) => routeReflectorClient,
    );
  assert.deepEqual(clients(64512), [true]);
  assert.deepEqual(clients(65401), [false]);
});
