/**
 * The node-to-node mesh ends and comes back by the machine of mode changes, with two nodes as route reflectors:
 * nothing is lost, and no kernel removes a route of a pod block. A plain patch is held to the same.
 */

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { askAgent } from "../../src/ctl/agent-socket.ts";
import { killAgent, startAgent } from "../../src/lab/index.ts";
import { hasCode, parsePrefix, prefixContains, sleep } from "../../src/lib/index.ts";
import { requestChange, sayWord } from "../../src/mode/index.ts";
import type { ChangePhase, ModeChange, ModeChangeSpec } from "../../src/model/index.ts";
import { type Monitor, openMonitor } from "../../src/netlink/index.ts";
import { clock, losses, nothingLost, Stage } from "./stage.ts";

const skip = process.getuid?.() === 0 ? false : "needs root to make network namespaces";
const LIMIT_MS = 90_000;
const reflectors = ["node1", "node3"];
const MESH = "node-to-node mesh";
const podAddresses = parsePrefix("10.244.0.0/16")!;
let stage: Stage;

before(async () => {
  if (skip) return;
  stage = await Stage.open("mesh", { nodes: 4, mode: "ipip" });
  // The lab's routers would be somebody who is there instead of the mesh.
  for (const { metadata } of (await stage.store.list("BGPPeer")).items) {
    await stage.store.delete("BGPPeer", metadata.name);
  }
  await sessions({ node1: 3, node2: 3, node3: 3, node4: 3 });
});
after(async () => {
  await stage?.close();
});
afterEach(async () => {
  if (skip) return;
  for (const { metadata } of (await stage.store.list("ModeChange")).items) {
    await stage.store.delete("ModeChange", metadata.name);
  }
});

/** As Calico's documentation has it: a label, a cluster id, and one BGPPeer from everybody to those. */
async function makeReflectors(): Promise<void> {
  await stage.store.create<"BGPPeer">({
    apiVersion: "projectcalico.org/v3",
    kind: "BGPPeer",
    metadata: { name: "peer-with-route-reflectors" },
    spec: { nodeSelector: "all()", peerSelector: "route-reflector == 'true'" },
  });
  for (const name of reflectors) {
    await updateNode(name, (node) => ({
      ...node,
      metadata: {
        ...node.metadata,
        labels: { ...node.metadata.labels, "route-reflector": "true" },
      },
      spec: { ...node.spec, bgp: { ...node.spec.bgp, routeReflectorClusterID: "244.0.0.1" } },
    }));
  }
}

type StoredNode = Awaited<ReturnType<typeof stage.store.get<"Node">>>;

async function updateNode(name: string, change: (node: StoredNode) => StoredNode): Promise<void> {
  for (;;) {
    try {
      await stage.store.update<"Node">(change(await stage.store.get("Node", name)));
      return;
    } catch (error) {
      if (!hasCode(error, "RESOURCE_CONFLICT")) throw error;
    }
  }
}

async function peersOf(node: string) {
  const lab = stage.lab.nodes.find(({ name }) => name === node)!;
  return (await askAgent(lab.agentSocket)).peers;
}

/** Sessions as they are to be, on every node: none but Established ones, and so many of the mesh. */
async function sessions(wanted: Readonly<Record<string, number>>): Promise<void> {
  for (const startedMs = clock.monotonicMs(); ; await sleep(clock, 100)) {
    const found: Record<string, number> = {};
    let down = 0;
    for (const node of stage.nodeNames) {
      const peers = await peersOf(node).catch(() => []);
      down += peers.filter(({ up }) => !up).length + (peers.length === 0 ? 1 : 0);
      found[node] = peers.filter(({ type }) => type === MESH).length;
    }
    if (down === 0 && JSON.stringify(found) === JSON.stringify(wanted)) return;
    const text = `${JSON.stringify(found)} of the mesh, ${down} down`;
    assert.ok(clock.monotonicMs() - startedMs < LIMIT_MS, text);
  }
}

const withReflectors = { node1: 0, node2: 1, node3: 0, node4: 1 };
const noMesh = { node1: 0, node2: 0, node3: 0, node4: 0 };

async function ask(spec: ModeChangeSpec): Promise<string> {
  const asked = { canary: 1, wave: "1", seed: 1, ...spec };
  const change = await requestChange(stage.store, { spec: asked, clock, random: Math.random });
  return change.metadata.name;
}

async function until(name: string, ...phases: ChangePhase[]): Promise<ModeChange> {
  const ends: readonly string[] = ["Done", "Refused", "RolledBack"];
  for (const startedMs = clock.monotonicMs(); ; await sleep(clock, 50)) {
    const change = await stage.store.get("ModeChange", name);
    const phase = change.status?.phase;
    if (phase && phases.includes(phase)) return change;
    const text = JSON.stringify(change.status, null, 1);
    assert.ok(!ends.includes(phase ?? ""), text);
    assert.ok(clock.monotonicMs() - startedMs < 2 * LIMIT_MS, text);
  }
}

/** Routes of pods' blocks that any kernel removed meanwhile. */
async function removedRoutes(act: () => Promise<void>): Promise<string[]> {
  const removed: string[] = [];
  const monitors: Monitor[] = stage.lab.nodes.map(({ namespace }) =>
    openMonitor({ namespace, groups: ["ipv4-route"] }),
  );
  const listening = monitors.map(async (monitor, index) => {
    const { name } = stage.lab.nodes[index]!;
    for await (const event of monitor) {
      if (event.kind !== "route" || !event.removed) continue;
      const { destination } = event.route;
      // Probe addresses are not pods'.
      const ofPods = destination && destination.length <= 26;
      if (ofPods && prefixContains(podAddresses, destination.address)) {
        removed.push(
          `${name}: ${JSON.stringify(event.route, (_, v) => (typeof v === "bigint" ? `${v}` : v))}`,
        );
      }
    }
  });
  try {
    await act();
  } finally {
    for (const monitor of monitors) monitor.close();
    await Promise.all(listening);
  }
  return removed;
}

async function hitless(act: () => Promise<void>): Promise<void> {
  const routes = await Promise.all(stage.nodeNames.map((node) => stage.routes(node)));
  const removed = await removedRoutes(async () => {
    assert.deepEqual(losses(await stage.underTraffic(act)), nothingLost);
  });
  assert.deepEqual(removed, []);
  assert.deepEqual(await Promise.all(stage.nodeNames.map((node) => stage.routes(node))), routes);
}

async function says(): Promise<boolean | undefined> {
  return (await stage.store.get("BGPConfiguration", "default")).spec.nodeToNodeMeshEnabled;
}

test("the mesh cannot end while there is nothing instead of it", {
  skip,
  timeout: 120_000,
}, async () => {
  const name = await ask({ mesh: "off" });
  const { status } = await until(name, "Refused");
  assert.ok(
    status?.traps?.some(({ code }) => code === "BGP_NO_PEERS"),
    status?.reason ?? "",
  );
  await sessions({ node1: 3, node2: 3, node3: 3, node4: 3 });
});

test("nodes become reflectors without a gap", { skip, timeout: 120_000 }, async () => {
  await hitless(async () => {
    await makeReflectors();
    await sessions(withReflectors);
  });
});

test("the mesh ends by the machine, and comes back", { skip, timeout: 400_000 }, async () => {
  await hitless(async () => {
    const off = await ask({ mesh: "off" });
    await until(off, "AwaitingConfirm");
    await sessions(noMesh);
    assert.notEqual(await says(), false, "it is committed when it is confirmed");
    await sayWord(stage.store, { name: off, word: "confirm", clock });
    const { status } = await until(off, "Done");
    assert.match(
      status?.reason ?? "",
      /^fully new: .* says off, and 4 of 4 nodes have realised it$/,
    );
    assert.equal(await says(), false);
  });
  await hitless(async () => {
    const on = await ask({ mesh: "on", confirmed: true });
    const { status } = await until(on, "Done");
    assert.match(status?.reason ?? "", /^fully new: .* says on, and 4 of 4/);
    assert.equal(await says(), true);
    await sessions(withReflectors);
  });
});

test("it goes back on a word, with the sessions that were", {
  skip,
  timeout: 300_000,
}, async () => {
  await hitless(async () => {
    const name = await ask({ mesh: "off" });
    await until(name, "AwaitingConfirm");
    await sayWord(stage.store, { name, word: "rollback", clock });
    const { status } = await until(name, "RolledBack");
    assert.deepEqual(status?.attention ?? [], []);
    await sessions(withReflectors);
  });
});

test("a reflector's agent is killed amid the change, and another is started", {
  skip,
  timeout: 400_000,
}, async () => {
  await hitless(async () => {
    const name = await ask({ mesh: "off", confirmed: true });
    await until(name, "Canary", "Rolling");
    await killAgent(stage.lab, "node1", "SIGKILL");
    await sleep(clock, 6_000);
    await startAgent(stage.lab, "node1");
    const { status } = await until(name, "Done");
    assert.match(status?.reason ?? "", /^fully new: /);
    await sessions(noMesh);
  });
});

test("by plain patches the mesh comes and goes, too", { skip, timeout: 200_000 }, async () => {
  const patch = async (nodeToNodeMeshEnabled: boolean) => {
    const stored = await stage.store.get("BGPConfiguration", "default");
    const spec = { ...stored.spec, nodeToNodeMeshEnabled };
    await stage.store.update<"BGPConfiguration">({ ...stored, spec });
  };
  await hitless(async () => {
    await patch(true);
    await sessions(withReflectors);
    await patch(false);
    await sessions(noMesh);
  });
});
