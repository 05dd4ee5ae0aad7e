/** The product's promise, on a live lab: the mode changes, and not one packet is lost. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, test } from "node:test";
import { askAgent, killAgent, restartAgent, startAgent } from "../../../src/lab/index.ts";
import { sleep } from "../../../src/lib/index.ts";
import { type ModeName, modeNames } from "../../../src/model/index.ts";
import { clock, losses, nothingLost, Stage } from "../stage.ts";

const skip = process.getuid?.() === 0 ? false : "needs root to make network namespaces";
let stage: Stage;

before(async () => {
  if (skip) return;
  stage = await Stage.open("scenario");
});
after(async () => {
  await stage?.close();
});

/** The routes of node1 to every block, per mode; B1..B4 stand for the nodes' blocks, T2..T4 for VTEPs. */
const expectedRoutes: Record<ModeName, string[]> = {
  ipip: [
    "blackhole B1 proto bird",
    "B2 via 172.139.20.76 dev tunl0 proto bird onlink",
    "B3 via 172.139.30.75 dev tunl0 proto bird onlink",
    "B4 via 172.139.30.76 dev tunl0 proto bird onlink",
  ],
  "ipip-cross-subnet": [
    "blackhole B1 proto bird",
    "B2 via 172.139.20.76 dev eth0 proto bird",
    "B3 via 172.139.30.75 dev tunl0 proto bird onlink",
    "B4 via 172.139.30.76 dev tunl0 proto bird onlink",
  ],
  vxlan: [
    "blackhole B1 proto bird",
    "B2 via T2 dev vxlan.calico proto 80 onlink",
    "B3 via T3 dev vxlan.calico proto 80 onlink",
    "B4 via T4 dev vxlan.calico proto 80 onlink",
  ],
  "vxlan-cross-subnet": [
    "blackhole B1 proto bird",
    "B2 via 172.139.20.76 dev eth0 proto 80",
    "B3 via T3 dev vxlan.calico proto 80 onlink",
    "B4 via T4 dev vxlan.calico proto 80 onlink",
  ],
  none: [
    "blackhole B1 proto bird",
    "B2 via 172.139.20.76 dev eth0 proto bird",
    "B3 via 172.139.20.1 dev eth0 proto bird",
    "B4 via 172.139.20.1 dev eth0 proto bird",
  ],
};

async function assertRoutes(mode: ModeName): Promise<void> {
  const names = new Map<string, string>();
  for (const node of stage.nodeNames) {
    names.set(`B${node.slice(-1)}`, await stage.blockOf(node));
    const vtep = (await stage.store.get("Node", node)).spec.ipv4VXLANTunnelAddr;
    if (vtep) names.set(`T${node.slice(-1)}`, vtep);
  }
  const expected = expectedRoutes[mode].map((line) =>
    line.replace(/\b[BT][1-4]\b/g, (name) => names.get(name) ?? name),
  );
  assert.deepEqual(await stage.routes("node1"), expected.sort(), mode);
}

test("all five modes, one after the other: exact routes, nothing lost", {
  skip,
  timeout: 180_000,
}, async () => {
  const tour: ModeName[] = ["none", "ipip-cross-subnet", "vxlan", "vxlan-cross-subnet", "ipip"];
  assert.deepEqual(new Set(tour), new Set(modeNames));
  await assertRoutes("ipip");
  for (const mode of tour) {
    const report = await stage.underTraffic(async () => {
      await stage.patch(mode);
      await stage.settled();
      await assertRoutes(mode);
      await stage.narrowed();
    });
    assert.deepEqual(losses(report), nothingLost, `to ${mode}`);
    assert.ok(report.total.sent > 1000);
  }
});

test("agents at rest make no passes", { skip, timeout: 60_000 }, async () => {
  const passes = () =>
    Promise.all(stage.lab.nodes.map(async (node) => (await askAgent(node.agentSocket)).passes));
  await sleep(clock, 1000);
  const before = await passes();
  await sleep(clock, 3000);
  for (const [index, count] of (await passes()).entries()) {
    // One periodic comparison may fall into these seconds.
    assert.ok(Number(count) - Number(before[index]) <= 1, `${before[index]} -> ${count}`);
  }
});

test("two patches in quick succession, and changes reversed half-way, lose nothing", {
  skip,
  timeout: 120_000,
}, async () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
  let state = seed;
  const random = (below: number) => {
    // Numerical Recipes' generator: enough to vary delays, and repeatable from the seed.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
  const report = await stage.underTraffic(async () => {
    for (let i = 0; i < 12; i++) {
      await stage.patch(modeNames[random(modeNames.length)] ?? "none");
      await sleep(clock, random(5) === 0 ? 0 : random(400));
    }
    await stage.patch("ipip");
    await stage.settled();
    await stage.narrowed();
  });
  assert.deepEqual(losses(report), nothingLost, `SEED=${seed}`);
  await assertRoutes("ipip");
});

test("a patch while an agent is dead: nobody sends it what it does not accept, and it catches up", {
  skip,
  timeout: 120_000,
}, async () => {
  const report = await stage.underTraffic(async () => {
    await killAgent(stage.lab, "node3");
    await stage.patch("vxlan");
    await stage.settledExceptTowards("node3", ["node1", "node2", "node4"]);
    const block = await stage.blockOf("node3");
    const route = (await stage.routes("node1")).find((line) => line.startsWith(block));
    assert.match(route ?? "", /dev tunl0/, "node3 does not accept VXLAN, so it is sent IP-in-IP");
    await startAgent(stage.lab, "node3");
    await stage.settled();
    await stage.narrowed();
  });
  assert.deepEqual(losses(report), nothingLost);
  await assertRoutes("vxlan");
});

test("kill -9 of every agent, one after the other, changes nothing in any kernel", {
  skip,
  timeout: 120_000,
}, async () => {
  const before = await Promise.all(stage.nodeNames.map((node) => stage.routes(node)));
  const report = await stage.underTraffic(async () => {
    for (const node of stage.nodeNames) {
      await killAgent(stage.lab, node);
      await sleep(clock, 300);
      assert.deepEqual(await stage.routes(node), before[stage.nodeNames.indexOf(node)]);
      await restartAgent(stage.lab, node);
    }
    await stage.settled();
  });
  assert.deepEqual(losses(report), nothingLost);
  assert.deepEqual(await Promise.all(stage.nodeNames.map((node) => stage.routes(node))), before);
});

test("with the datastore away the network goes on, says so, and catches up", {
  skip,
  timeout: 120_000,
}, async () => {
  const { pid } = stage.lab.server;
  assert.ok(pid);
  const report = await stage.underTraffic(async () => {
    process.kill(pid, "SIGSTOP");
    await sleep(clock, 1500);
    process.kill(pid, "SIGCONT");
    await stage.patch("ipip");
    await stage.settled();
  });
  assert.deepEqual(losses(report), nothingLost);
  await assertRoutes("ipip");
});

test("an operator's wrong patch changes nothing and is told in one line", {
  skip,
  timeout: 60_000,
}, async () => {
  const before = await stage.store.get("IPPool", "default-ipv4-ippool");
  const patches: [string, RegExp][] = [
    ['{"spec":{"vxlanMode":"Always"}}', /ipipMode and vxlanMode cannot both be enabled/],
    ['{"spec":{"cidr":"10.245.0.0/16"}}', /IPPool CIDR cannot be modified/],
    [
      '{"spec":{"ipipmod":"Never"}}',
      /field in document is not recognized or is in the wrong location: /,
    ],
    ['{"spec":', /^hit error: /],
  ];
  for (const [patch, message] of patches) {
    const { code, stderr, stdout } = await switchyard([
      "patch",
      "ippool",
      "default-ipv4-ippool",
      "--patch",
      patch,
    ]);
    assert.deepEqual([code, stdout], [1, ""], patch);
    assert.match(stderr, message);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
  }
  assert.deepEqual(await stage.store.get("IPPool", "default-ipv4-ippool"), before);
});

function switchyard(
  args: string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(new URL("../../../bin/switchyard", import.meta.url).pathname, args, {
    env: { ...process.env, SWITCHYARD_SOCKET: stage.lab.socketPath },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data) => {
    stdout += data;
  });
  child.stderr.on("data", (data) => {
    stderr += data;
  });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}
