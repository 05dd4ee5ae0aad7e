/** Packets through a cluster of namespaces: mode changes lose none, NAT and allow-lists do what they say. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { NodeSketch, PlanSketch } from "../../src/dataplane/plan-sketch.test-suite.ts";
import { type Cluster, type ClusterNode, makeCluster, Probe } from "./dataplane-cluster.ts";
import { obstacleToKernelTests } from "./dataplane-support.ts";

const skip = obstacleToKernelTests();

type Tunnel = "ipip" | "vxlan";
interface Mode {
  readonly name: string;
  readonly tunnels: readonly Tunnel[];
  send(local: NodeSketch, remote: NodeSketch): ReturnType<PlanSketch["send"]>;
}

const subnet = (node: NodeSketch) => node.address.split(".").slice(0, 3).join(".");
const plain = (local: NodeSketch, remote: NodeSketch) =>
  subnet(local) === subnet(remote) ? ("none" as const) : { via: `${subnet(local)}.1` };
const always = (tunnel: Tunnel): Mode => ({
  name: `${tunnel} Always`,
  tunnels: [tunnel],
  send: () => tunnel,
});
const crossSubnet = (tunnel: Tunnel): Mode => ({
  name: `${tunnel} CrossSubnet`,
  tunnels: [tunnel],
  send: (local, remote) => (subnet(local) === subnet(remote) ? "none" : tunnel),
});
const NONE: Mode = { name: "None", tunnels: [], send: plain };

const CYCLE = [
  always("ipip"),
  NONE,
  crossSubnet("ipip"),
  always("vxlan"),
  crossSubnet("vxlan"),
  always("ipip"),
] as const;

async function apply(
  { plan }: Cluster,
  node: ClusterNode,
  state: { readonly mode: Mode; readonly receive: readonly Tunnel[] },
): Promise<void> {
  const { mode, receive } = state;
  const send = (remote: NodeSketch) => mode.send(node.sketch, remote);
  const actual = await node.dataplane.apply(plan(node, { send, receive, natOutgoing: true }));
  assert.deepEqual(actual.failures, [], `${node.sketch.name}, ${mode.name}`);
}

/** The nodes one after the other, so that they differ for a while. */
async function applyAll(
  cluster: Cluster,
  state: { readonly mode: Mode; readonly receive: readonly Tunnel[] },
): Promise<void> {
  for (const node of cluster.nodes) {
    await apply(cluster, node, state);
    await wait(20);
  }
}

describe("traffic", skip === undefined ? {} : { skip }, () => {
  it("loses no packet while the nodes go through all modes, accepting first and narrowing last", async (context) => {
    const cluster = await makeCluster(context);
    await applyAll(cluster, { mode: CYCLE[0], receive: CYCLE[0].tunnels });
    const probe = await Probe.start(context, cluster);
    await wait(200);
    let from: Mode = CYCLE[0];
    for (const mode of CYCLE.slice(1)) {
      const both = [...new Set([...from.tunnels, ...mode.tunnels])];
      await applyAll(cluster, { mode: from, receive: both });
      await applyAll(cluster, { mode, receive: both });
      await applyAll(cluster, { mode, receive: mode.tunnels });
      from = mode;
    }
    const flows = await probe.stop();
    context.diagnostic(JSON.stringify(flows));
    assert.equal(flows.length, 6);
    for (const { sent, lost } of flows) {
      assert.ok(sent > 500, `only ${sent} sent`);
      assert.equal(lost, 0);
    }
  });
});
