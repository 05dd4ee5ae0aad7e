/** A lab whose router learns where Kubernetes' services are: by which nodes, and through an agent's death. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { service, slice } from "../../src/agent/services/testing.ts";
import { killAgent, startAgent } from "../../src/lab/index.ts";
import { sleep } from "../../src/lib/index.ts";
import type { ResourceOf } from "../../src/model/index.ts";
import { inside } from "./node-state.ts";
import { clock, Stage } from "./stage.ts";

const skip = process.getuid?.() === 0 ? false : "needs root to make network namespaces";
const LIMIT_MS = 30_000;
const CLUSTER = "10.96.0.0/12";
const BALANCER = "203.0.113.0/24";
let stage: Stage;

before(async () => {
  if (skip) return;
  stage = await Stage.open("services", { nodes: 2, podsPerNode: 1, mode: "ipip" });
  const stored = await stage.store.get("BGPConfiguration", "default");
  const spec = {
    ...stored.spec,
    serviceClusterIPs: [{ cidr: CLUSTER }],
    serviceLoadBalancerIPs: [{ cidr: BALANCER }],
  };
  await stage.store.update<"BGPConfiguration">({ ...stored, spec });
  const local = { externalTrafficPolicy: "Local", type: "LoadBalancer" } as const;
  await stage.store.create(service({ ...local, ingress: ["203.0.113.9"] }));
});
after(async () => {
  await stage?.close();
});

/** The node by which the router sends what is for this; undefined: it knows no way. */
function way(destination: string): string | undefined {
  const text = inside(stage.lab.router.namespace, `ip route show exact ${destination}`);
  const gateway = / via (\S+)/.exec(text)?.[1];
  return stage.lab.nodes.find(({ address }) => address === gateway)?.name;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const endMs = clock.monotonicMs() + LIMIT_MS;
  while (!holds()) {
    assert.ok(clock.monotonicMs() < endMs, `not in time: ${what}`);
    await sleep(clock, 100);
  }
}

async function setSlice(nodes: readonly string[]): Promise<void> {
  const stored = await stage.store.get("EndpointSlice", "web-1", { namespace: "shop" });
  const next: ResourceOf<"EndpointSlice"> = { ...slice({ nodes }), metadata: stored.metadata };
  await stage.store.update<"EndpointSlice">(next);
}

const addresses = ["10.96.0.9", "203.0.113.9"];
const allBy = (node: string | undefined) => addresses.every((one) => way(one) === node);

test("CIDRs lead to any node, addresses to those with an endpoint", { skip }, async () => {
  await until("both CIDRs", () => way(CLUSTER) !== undefined && way(BALANCER) !== undefined);
  assert.ok(allBy(undefined));
  await stage.store.create(slice({ nodes: ["node1"] }));
  await until("addresses by node1", () => allBy("node1"));
  await setSlice(["node2"]);
  await until("addresses by node2", () => allBy("node2"));
});

test("no node has them in its kernel, and none forwards what nobody has taken", {
  skip,
}, async () => {
  for (const { namespace, name } of stage.lab.nodes) {
    const routes = inside(namespace, "ip route");
    assert.doesNotMatch(routes, /10\.96\.|203\.0\.113\./, name);
    assert.match(
      inside(namespace, "nft list chain ip switchyard filter-forward"),
      /@service-cidrs drop/,
    );
  }
});

test("an agent that dies and comes back leaves the router's routes as they are", {
  skip,
}, async () => {
  await killAgent(stage.lab, "node2", "SIGKILL");
  await sleep(clock, 3_000);
  assert.ok(allBy("node2"));
  let lost = 0;
  const starting = startAgent(stage.lab, "node2");
  const endMs = clock.monotonicMs() + 10_000;
  while (clock.monotonicMs() < endMs) {
    if (!allBy("node2")) lost++;
    await sleep(clock, 50);
  }
  await starting;
  assert.equal(lost, 0);
});

test("a labelled node tells of no service any more", { skip }, async () => {
  const label = async (node: string, value: Record<string, string>) => {
    const stored = await stage.store.get("Node", node);
    const labels = { ...stored.metadata.labels, ...value };
    await stage.store.update<"Node">({ ...stored, metadata: { ...stored.metadata, labels } });
  };
  for (const node of ["node1", "node2"]) {
    await label(node, { "node.kubernetes.io/exclude-from-external-load-balancers": "true" });
  }
  await until("no CIDR", () => way(CLUSTER) === undefined && way(BALANCER) === undefined);
  await until("no address", () => allBy(undefined));
});
