/** The MTU of running pods follows the mode, and nobody is ever sent more than he takes. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { killAgent, type LabPodState, startAgent } from "../../src/lab/index.ts";
import { measurePathMtu } from "../../src/lab/probe/index.ts";
import { sleep } from "../../src/lib/index.ts";
import type { ModeName } from "../../src/model/index.ts";
import { openRouteSocket } from "../../src/netlink/index.ts";
import { LargeProbes } from "./large-probes.ts";
import { clock, losses, nothingLost, Stage } from "./stage.ts";

const skip = process.getuid?.() === 0 ? false : "needs root to make network namespaces";
let stage: Stage;

before(async () => {
  if (skip) return;
  stage = await Stage.open("livemtu", { podMtu: "live", podsPerNode: 1 });
});
after(async () => {
  await stage?.close();
});

interface PodState {
  readonly host: number | undefined;
  readonly pod: number | undefined;
  /** Routes that limit what the pod sends. */
  readonly limits: number;
  readonly file: string;
}

async function stateOf(pod: LabPodState): Promise<PodState> {
  const node = stage.lab.nodes.find(({ name }) => name === pod.node)!;
  const [host, inside] = [node, pod].map(({ namespace }) => openRouteSocket({ namespace }));
  try {
    return {
      host: (await host!.link(pod.interfaceName))?.mtu,
      pod: (await inside!.link("eth0"))?.mtu,
      limits: (await inside!.routes({ protocol: 80 })).length,
      file: readFileSync(`${node.stateDirectory}/mtu`, "utf8"),
    };
  } finally {
    host!.close();
    inside!.close();
  }
}

/** Waits until every pod has this MTU, at both ends and without limits. */
async function atRest(mtu: number, pods = stage.lab.pods): Promise<void> {
  const expected = pods.map(() => ({ host: mtu, pod: mtu, limits: 0, file: String(mtu) }));
  const startedMs = clock.monotonicMs();
  for (;;) {
    const states = await Promise.all(pods.map(stateOf));
    if (JSON.stringify(states) === JSON.stringify(expected)) return;
    if (clock.monotonicMs() - startedMs > 25_000) assert.deepEqual(states, expected);
    await sleep(clock, 100);
  }
}

async function underLargeTraffic(act: () => Promise<void>) {
  const large = new LargeProbes(stage.lab.pods);
  large.start();
  const report = await stage.underTraffic(act);
  return { report, large: await large.stop() };
}

test("pods' MTU follows the mode and not one full-size packet is lost", {
  skip,
  timeout: 240_000,
}, async (context) => {
  await atRest(1480);
  const tour: [ModeName, number, number[]][] = [
    ["none", 1500, [1480, 1500]],
    ["vxlan", 1450, [1450, 1500]],
    ["ipip", 1480, [1450, 1480]],
    ["vxlan-cross-subnet", 1450, [1450, 1480]],
    ["none", 1500, [1450, 1500]],
    ["ipip-cross-subnet", 1480, [1480, 1500]],
  ];
  for (const [mode, mtu, sizes] of tour) {
    const { report, large } = await underLargeTraffic(async () => {
      await stage.patch(mode);
      await stage.settled();
      await stage.narrowed();
      await atRest(mtu);
    });
    assert.deepEqual([large.lost, large.where], [0, []], `to ${mode}`);
    assert.deepEqual(Object.keys(large.sizes).map(Number), sizes, `sizes sent, to ${mode}`);
    assert.ok(large.sent > 1000);
    assert.deepEqual(losses(report), nothingLost, `to ${mode}`);
    // On a busy machine TCP sends some again that were only late: tens, where a lost MTU makes hundreds.
    const { retransmits = 0 } = report.stream ?? {};
    context.diagnostic(`to ${mode}: ${retransmits} retransmits, ${large.sent} full-size packets`);
    assert.ok(retransmits <= 50, `${retransmits} to ${mode}`);
    const [from, near, far] = ["node1", "node2", "node3"].map(
      (node) => stage.lab.pods.find((pod) => pod.node === node)!,
    );
    assert.equal(measurePathMtu(from!, near!), mtu);
    assert.equal(measurePathMtu(from!, far!), mtu);
  }
});

test("with an agent dead, nobody sends its pod more than it takes, and it catches up", {
  skip,
  timeout: 120_000,
}, async () => {
  const late = stage.lab.pods.find((pod) => pod.node === "node3")!;
  const others = stage.lab.pods.filter((pod) => pod !== late);
  const { report, large } = await underLargeTraffic(async () => {
    await killAgent(stage.lab, "node3");
    await stage.patch("vxlan");
    await stage.settledExceptTowards("node3", ["node1", "node2", "node4"]);
    await sleep(clock, 7000);
    for (const pod of others) {
      const { host, limits } = await stateOf(pod);
      assert.deepEqual([host, limits], [1480, 2], "node3 may still send 1480; they send less");
    }
    await startAgent(stage.lab, "node3");
    await stage.settled();
    await atRest(1450);
  });
  assert.deepEqual([large.lost, large.where], [0, []]);
  assert.deepEqual(losses(report), nothingLost);
});

test("a pod with an MTU of its own keeps it, and so does one with a route of its own", {
  skip,
  timeout: 60_000,
}, async () => {
  const [own, routed, ...rest] = stage.lab.pods;
  const node = stage.lab.nodes.find(({ name }) => name === own!.node)!;
  const at = async (namespace: string, device: string, mtu: number) => {
    const socket = openRouteSocket({ namespace });
    const link = await socket.link(device);
    await socket.changeLink(link!.index, { mtu });
    socket.close();
  };
  await at(own!.namespace, "eth0", 1400);
  await at(node.namespace, own!.interfaceName, 1400);
  const inside = openRouteSocket({ namespace: routed!.namespace });
  const before = await inside.routes();
  await stage.patch("none");
  await stage.settled();
  await stage.narrowed();
  await atRest(1500, [routed!, ...rest]);
  const { host, pod, limits } = await stateOf(own!);
  assert.deepEqual([host, pod, limits], [1400, 1400, 0]);
  assert.deepEqual(await inside.routes(), before);
  inside.close();
});
