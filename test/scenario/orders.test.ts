/**
 * Agents obey the orders of a ModeChange, and nothing else of it: written by hand here, they widen the nodes, move
 * one, move all, and take all back, under traffic, with agents that are killed on the way.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, afterEach, before, test } from "node:test";
import { killAgent, layout, startAgent } from "../../src/lab/index.ts";
import { hasCode, sleep } from "../../src/lib/index.ts";
import type { ChangeOrders, ModeName, NodeModeStatus } from "../../src/model/index.ts";
import { inside } from "./node-state.ts";
import { clock, losses, nothingLost, Stage } from "./stage.ts";

const skip = process.getuid?.() === 0 ? false : "needs root to make network namespaces";
const LIMIT_MS = 30_000;
let stage: Stage;

before(async () => {
  if (!skip) stage = await Stage.open("orders", { nodes: 3, mode: "ipip" });
});
afterEach(async () => {
  // Whatever went wrong, the next change is the only one.
  const changes = skip ? [] : (await stage.store.list("ModeChange")).items;
  for (const { metadata } of changes) await stage.store.delete("ModeChange", metadata.name);
});
after(async () => {
  await stage?.close();
});

const DRIVEN = { phase: "Rolling" as const, phaseSince: "", from: "ipip", history: [] };

type Progress = NonNullable<NodeModeStatus["changes"]>[string];

class Change {
  readonly #name: string;
  #step = 0;

  constructor(name: string) {
    this.#name = name;
  }

  async create(to: ModeName, blocks?: string[]): Promise<void> {
    await stage.driveByHand(this.#name);
    await stage.store.create<"ModeChange">({
      apiVersion: "switchyard.io/v1",
      kind: "ModeChange",
      metadata: { name: this.#name },
      spec: { pool: layout.poolName, to, ...(blocks && { blocks }) },
      status: DRIVEN,
    });
  }

  /** Undefined: nothing is ordered any more. */
  async order(orders: Partial<ChangeOrders> | undefined): Promise<void> {
    this.#step++;
    for (;;) {
      const change = await stage.store.get("ModeChange", this.#name);
      const given: ChangeOrders = {
        ...{ step: this.#step, widen: true, prove: "no", guard: false, moved: [], key: "00" },
        ...orders,
      };
      const status = {
        ...DRIVEN,
        ...(orders && { orders: given }),
      };
      try {
        await stage.store.update<"ModeChange">({ ...change, status });
        return;
      } catch (error) {
        if (!hasCode(error, "RESOURCE_CONFLICT")) throw error;
      }
    }
  }

  /** Waits until all these nodes (all unless told) say so of themselves. */
  async until(
    said: (progress: Progress | undefined, status: NodeModeStatus) => boolean,
    nodes: readonly string[] = stage.nodeNames,
  ): Promise<void> {
    for (const startedMs = clock.monotonicMs(); ; await sleep(clock, 20)) {
      const { items } = await stage.store.list("NodeMode");
      const behind = items.filter(
        ({ metadata, status }) =>
          nodes.includes(metadata.name) && !(status && said(status.changes?.[this.#name], status)),
      );
      if (behind.length === 0) return;
      const words = JSON.stringify(behind.map(({ metadata, status }) => [metadata.name, status]));
      assert.ok(clock.monotonicMs() - startedMs < LIMIT_MS, words);
    }
  }
}

const widened = (progress: Progress | undefined) => progress?.widened === true;
const moved = (progress: Progress | undefined) => progress?.moved === true;
const goneBack = (_: unknown, { changes, pools, sends }: NodeModeStatus) =>
  changes === undefined &&
  pools[layout.poolName]?.mode === "IPIPAlways" &&
  pools[layout.poolName]?.realised === true &&
  sends.join() === "ipip";

const namespaceOf = (node: string) => stage.lab.nodes.find(({ name }) => name === node)!.namespace;
const ofProof = (node: string) =>
  inside(namespaceOf(node), "ip rule; ip route show table all; ip address show dev lo")
    .split("\n")
    .filter((line) => /17900|^ *inet 10\./.test(line));

/** What refuses, the ways to all others, the address, and rules; a partner's way comes with its address. */
async function allPartners(): Promise<void> {
  for (const node of stage.nodeNames) {
    for (const startedMs = clock.monotonicMs(); ; await sleep(clock, 20)) {
      const held = ofProof(node);
      const count = (what: RegExp) => held.filter((line) => what.test(line)).length;
      const whole =
        count(/^unreachable default table 17900/) === 1 &&
        count(/^\d.* dev \S+ table 17900/) === stage.nodeNames.length - 1 &&
        count(/ scope global lo$/) === 1 &&
        count(/^90:.*lookup 17900/) > 0;
      if (whole) break;
      assert.ok(clock.monotonicMs() - startedMs < LIMIT_MS, held.join("\n"));
    }
  }
}

async function probeHandles(): Promise<string[]> {
  const { items } = await stage.store.list("IPAMHandle");
  return items.map(({ metadata }) => metadata.name).filter((name) => name.includes("probe"));
}

for (const to of ["vxlan", "none", "ipip-cross-subnet"] as const) {
  test(`to ${to} by orders: widened, proved, one moved, all moved, and all taken back`, {
    skip,
    timeout: 180_000,
  }, async () => {
    const change = new Change(`to-${to}`);
    const [first = "", second = ""] = stage.nodeNames;
    const routes = await Promise.all(stage.nodeNames.map((node) => stage.routes(node)));
    const report = await stage.underTraffic(async () => {
      await change.create(to);
      await change.order({ prove: "first" });
      await change.until(widened);
      await allPartners();
      assert.deepEqual(
        await Promise.all(stage.nodeNames.map((node) => stage.routes(node))),
        routes,
        "nothing has moved, and no workload route is touched",
      );
      assert.equal((await probeHandles()).length, stage.nodeNames.length);
      await change.order({ guard: true, moved: [first] });
      await change.until(moved, [first]);
      await change.until((progress) => progress?.moved === false, stage.nodeNames.slice(1));
      assert.notDeepEqual(await stage.routes(first), routes[0]);
      assert.deepEqual(await stage.routes(second), routes[1]);
      // Killed where it does not know of the next order.
      await killAgent(stage.lab, second);
      await change.order({ guard: true, moved: "all" });
      await change.until(moved, [first]);
      await startAgent(stage.lab, second);
      await change.until(moved);
      await killAgent(stage.lab, first);
      await change.order({ guard: true, moved: [] });
      await startAgent(stage.lab, first);
      await change.until((progress) => progress?.moved === false);
      await change.order(undefined);
      await change.until(goneBack);
      await stage.narrowed();
    });
    assert.deepEqual(losses(report), nothingLost);
    assert.deepEqual(await Promise.all(stage.nodeNames.map((node) => stage.routes(node))), routes);
    for (const node of stage.nodeNames) assert.deepEqual(ofProof(node), []);
    for (const startedMs = clock.monotonicMs(); ; await sleep(clock, 50)) {
      const left = await probeHandles();
      if (left.length === 0) break;
      assert.ok(clock.monotonicMs() - startedMs < LIMIT_MS, left.join());
    }
  });
}

test("blocks one after the other, then the rest, and all back", {
  skip,
  timeout: 120_000,
}, async () => {
  const change = new Change("by-blocks");
  const names = stage.nodeNames;
  const [first = "", second = "", third = ""] = await Promise.all(
    names.map((node) => stage.blockOf(node)),
  );
  const before = await stage.routes(names[0] ?? "");
  const devices = async () => {
    const routes = await stage.routes(names[0] ?? "");
    return [second, third].map(
      (block) => /dev (\S+)/.exec(routes.find((line) => line.startsWith(block)) ?? "")?.[1],
    );
  };
  const report = await stage.underTraffic(async () => {
    await change.create("none", [second, first]);
    await change.order({});
    await change.until(widened);
    assert.deepEqual(await devices(), ["tunl0", "tunl0"]);
    await change.order({ guard: true, blocks: [second] });
    await change.until((progress) => progress?.blocks === 1);
    assert.deepEqual(await devices(), ["eth0", "tunl0"]);
    await change.order({ guard: true, blocks: [second, first] });
    await change.until((progress) => progress?.blocks === 2);
    await change.order({ guard: true, blocks: [second, first], moved: "all" });
    await change.until(moved);
    assert.deepEqual(await devices(), ["eth0", "eth0"]);
    await change.order(undefined);
    await change.until(goneBack);
    await stage.narrowed();
  });
  assert.deepEqual(losses(report), nothingLost);
  assert.deepEqual(await stage.routes(names[0] ?? ""), before);
});

test("a connection of the host from its tunnel address survives, and the tunnel goes after it", {
  skip,
  timeout: 120_000,
}, async (context) => {
  const [node = ""] = stage.nodeNames;
  const pod = stage.lab.pods.find((one) => one.node === stage.nodeNames.at(-1))!;
  const source = (await stage.store.get("Node", node)).spec.bgp?.ipv4IPIPTunnelAddr ?? "";
  const echo = `const net = require("node:net");
    net.createServer((socket) => socket.pipe(socket)).listen(7, () => console.log("ready"));`;
  const client = `const socket = require("node:net").connect({ port: 7, host: "${pod.address}",
      localAddress: "${source}" });
    socket.on("connect", () => console.log("connected")).on("data", (data) => console.log("" + data));
    socket.on("close", () => process.exit());
    process.stdin.on("data", (data) => socket.write(data)).on("end", () => socket.end());`;
  const start = async (namespace: string, text: string) => {
    const args = [`--net=${namespace}`, process.execPath, "-e", text];
    const child = spawn("nsenter", args, { stdio: ["pipe", "pipe", "inherit"] });
    context.after(() => void child.kill("SIGKILL"));
    await once(child.stdout, "data");
    return child;
  };
  await start(pod.namespace, echo);
  const connection = await start(namespaceOf(node), client);
  const answer = async (word: string) => {
    connection.stdin.write(word);
    const [data] = (await once(connection.stdout, "data")) as [Buffer];
    assert.equal(String(data).trim(), word);
  };
  const mode = async () => (await stage.store.get("NodeMode", node)).status;
  await answer("before");
  await stage.patch("none");
  await stage.settled();
  await answer("moved");
  // Longer than the drain: without the socket the tunnel would be gone.
  await sleep(clock, 8_000);
  await answer("still");
  const kept = (await mode())?.kept ?? [];
  assert.match(kept.join(), new RegExp(`ipip tunnel .* uses ${source.replaceAll(".", "\\.")}$`));
  assert.match(inside(namespaceOf(node), "ip address show dev tunl0"), new RegExp(source));
  connection.stdin.end();
  await once(connection, "exit");
  await stage.narrowed();
  assert.equal((await mode())?.kept, undefined);
  await stage.patch("ipip");
  await stage.settled();
});
