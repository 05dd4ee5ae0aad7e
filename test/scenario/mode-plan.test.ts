/**
 * What `mode plan` foresees is what agents make: the plan foreseen for each node is held against its kernel after the
 * change, object by object. Nothing else keeps the preview from becoming a second model of the truth.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { openDataplane } from "../../src/dataplane/index.ts";
import { layout } from "../../src/lab/index.ts";
import { sleep } from "../../src/lib/index.ts";
import { silentLog } from "../../src/lib/log/index.ts";
import { foresee, readCluster } from "../../src/mode/index.ts";
import type { ModeName, Node } from "../../src/model/index.ts";
import { type NodePlan, plan, planObjects } from "../../src/plan/index.ts";
import { clock, Stage } from "./stage.ts";

const skip = process.getuid?.() === 0 ? false : "needs root to make network namespaces";
let stage: Stage;

before(async () => {
  if (skip) return;
  stage = await Stage.open("foresee", { podsPerNode: 1, podMtu: "live" });
});
after(async () => {
  await stage?.close();
});

/** Plans of the cluster as it is stored now, and as it would be with `to`. */
async function plansFor(to: ModeName) {
  const { view, nodeHosts } = await readCluster(stage.store);
  const spec = { pool: layout.poolName, to };
  const { snapshots, worded } = foresee({ spec, view, nodeHosts });
  const found = new Map<string, { readonly before: NodePlan; readonly after: NodePlan }>();
  for (const one of snapshots) {
    assert.ok("after" in one, JSON.stringify(one));
    found.set(one.node, { before: plan(one.before), after: plan(one.after) });
  }
  assert.deepEqual([...found.keys()].sort(), [...stage.nodeNames].sort());
  const lines = (of: NodePlan) => planObjects(of).map(({ line }) => worded(line));
  return { plans: found, lines };
}

/** With the addresses that address management has given meanwhile. */
async function withAddresses(lines: readonly string[]): Promise<string[]> {
  const { items } = await stage.store.list("Node");
  const addressOf = ({ spec }: Node, tunnel: string) =>
    tunnel === "ipip" ? spec.bgp?.ipv4IPIPTunnelAddr : spec.ipv4VXLANTunnelAddr;
  return lines.map((line) =>
    line.replace(/<(ipip|vxlan) address of (\S+)>/g, (words, tunnel: string, name: string) => {
      const node = items.find(({ metadata }) => metadata.name === name);
      return (node && addressOf(node, tunnel)) ?? words;
    }),
  );
}

/** Object by object, until they agree: what is given up goes last. */
async function holds(node: string, wanted: NodePlan): Promise<void> {
  const namespace = stage.lab.nodes.find(({ name }) => name === node)!.namespace;
  const dataplane = await openDataplane({ namespace, clock, log: silentLog });
  try {
    const limitMs = clock.monotonicMs() + 15_000;
    for (;;) {
      const { objects, differences } = await dataplane.compare(wanted);
      assert.ok(objects > 10, `${objects} objects`);
      if (differences.length === 0) return;
      if (clock.monotonicMs() > limitMs) assert.deepEqual(differences, [], node);
      await sleep(clock, 100);
    }
  } finally {
    await dataplane.close();
  }
}

const changes: readonly ModeName[] = ["none", "vxlan-cross-subnet", "ipip"];
for (const to of changes) {
  test(`agents make of ${to} what was foreseen`, { skip, timeout: 90_000 }, async () => {
    const foreseen = await plansFor(to);
    for (const [node, plans] of foreseen.plans) await holds(node, plans.before);
    await stage.patch(to);
    await stage.settled();
    await stage.narrowed();
    const made = await plansFor(to);
    for (const [node, plans] of made.plans) {
      const lines = await withAddresses(foreseen.lines(foreseen.plans.get(node)!.after));
      assert.deepEqual(lines.sort(), made.lines(plans.before).sort(), node);
      await holds(node, plans.before);
    }
  });
}

test("mode plan of the command line foresees the same, and finds nothing that refuses", {
  skip,
  timeout: 60_000,
}, async () => {
  const program = new URL("../../bin/switchyard", import.meta.url).pathname;
  const text = execFileSync(
    program,
    ["mode", "plan", layout.poolName, "--to", "none", "-o", "json"],
    { encoding: "utf8", env: { ...process.env, SWITCHYARD_SOCKET: stage.lab.socketPath } },
  );
  const { refused, preview } = JSON.parse(text) as {
    refused: boolean;
    preview: { moves: unknown };
  };
  assert.equal(refused, false);
  assert.deepEqual(preview.moves, [{ from: "ipip", to: "none", routes: 12, nodes: 4 }]);
});
