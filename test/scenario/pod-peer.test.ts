/** A pod that speaks BGP with its host: what it tells of reaches it, from the routers too, for as long as it is asked for. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { askAgent } from "../../src/ctl/agent-socket.ts";
import { sleep } from "../../src/lib/index.ts";
import type { BGPFilter, BGPPeer } from "../../src/model/index.ts";
import { inside } from "./node-state.ts";
import { clock, Stage } from "./stage.ts";

const skip = process.getuid?.() === 0 ? false : "needs root to make network namespaces";
const LIMIT_MS = 30_000;
const HOST = "169.254.0.179";
const CHILD = "10.123.0.0/26";
const directory = mkdtempSync(join(tmpdir(), "switchyard-pod-peer-"));
let stage: Stage;

before(async () => {
  if (!skip) stage = await Stage.open("podpeer", { nodes: 2, mode: "none" });
});
after(async () => {
  await stage?.close();
  rmSync(directory, { recursive: true, force: true });
});

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = clock.monotonicMs() + LIMIT_MS;
  while (!(await holds())) {
    assert.ok(clock.monotonicMs() < endMs, `not in time: ${what}`);
    await sleep(clock, 200);
  }
}

const apiVersion = "projectcalico.org/v3";
const within = { cidr: "10.123.0.0/16", matchOperator: "In" } as const;
const filters: readonly [string, BGPFilter["spec"]][] = [
  ["children", { importV4: [{ ...within, action: "Accept" }, { action: "Reject" }] }],
  ["to-routers", { exportV4: [{ ...within, source: "RemotePeers", action: "Accept" }] }],
];
const peer: BGPPeer = {
  ...{ apiVersion, kind: "BGPPeer" },
  metadata: { name: "children" },
  spec: { localWorkloadSelector: "role == 'router'", asNumber: 65401, filters: ["children"] },
};

async function configure(): Promise<void> {
  const { store } = stage;
  for (const [name, spec] of filters) {
    await store.create({ apiVersion, kind: "BGPFilter", metadata: { name }, spec });
  }
  const stored = await store.get("BGPConfiguration", "default");
  const spec = { ...stored.spec, localWorkloadPeeringIPV4: HOST };
  await store.update<"BGPConfiguration">({ ...stored, spec });
  for (const router of (await store.list("BGPPeer")).items) {
    const told = { ...router.spec, filters: ["to-routers"] };
    await store.update<"BGPPeer">({ ...router, spec: told });
  }
  await store.create(peer);
  for (const workload of (await store.list("WorkloadEndpoint")).items) {
    if (workload.spec.node !== "node1" || workload.spec.pod !== "pod1a") continue;
    const labels = { ...workload.metadata.labels, role: "router" };
    const metadata = { ...workload.metadata, labels };
    await store.update<"WorkloadEndpoint">({ ...workload, metadata });
  }
}

/** A speaker in the pod; gives how to end it. */
function speak(namespace: string, address: string): () => void {
  const config = {
    ...{ localAs: 65401, routerId: address },
    peers: [{ name: "host", address: HOST, remoteAs: 64512 }],
    originate: [{ prefix: CHILD }, { prefix: "10.124.0.0/26" }],
  };
  const file = join(directory, "pod.yaml");
  writeFileSync(file, JSON.stringify(config));
  const launcher = resolve(import.meta.dirname, "../../bin/switchyard");
  const speaker = [launcher, "bgpd", "-c", file, "--socket", join(directory, "pod.sock")];
  const child = spawn("nsenter", [`--net=${namespace}`, ...speaker], { stdio: "ignore" });
  return () => void child.kill();
}

test("a pod's networks are reached through it, and are gone with its peering", {
  skip,
}, async () => {
  await configure();
  const [node] = stage.lab.nodes;
  const pod = stage.lab.pods.find(({ name }) => name === "pod1a")!;
  const routes = (namespace: string) => inside(namespace, "ip route");
  const session = async () => {
    const { peers } = await askAgent(node!.agentSocket);
    return peers.find(({ type }) => type === "local workload");
  };
  const end = speak(pod.namespace, pod.address);
  try {
    inside(pod.namespace, "ip address add 10.123.0.1/32 dev lo");
    await until("the session", async () => (await session())?.up === true);
    assert.match(inside(node!.namespace, "ip -4 -o address"), /cali\w+ +inet 169\.254\.0\.179\/32/);
    const own = new RegExp(`${CHILD} via ${pod.address} dev cali\\w+ proto bird`);
    await until("the node's route", () => own.test(routes(node!.namespace)));
    await until("the router's route", () =>
      routes(stage.lab.router.namespace).includes(`${CHILD} via ${node!.address} `),
    );
    inside(stage.lab.router.namespace, "ping -c 2 -W 2 10.123.0.1");
    assert.ok(!routes(node!.namespace).includes("10.124."), "the filter lets in no more");
    // A pass that nothing asks for may be half a minute away.
    const device = /(cali\w+) +inet 169\.254/.exec(
      inside(node!.namespace, "ip -4 -o address"),
    )?.[1];
    const alteredMs = clock.monotonicMs();
    inside(node!.namespace, `ip address del ${HOST}/32 dev ${device}`);
    await until("the address again", () =>
      inside(node!.namespace, "ip -4 -o address").includes(HOST),
    );
    assert.ok(clock.monotonicMs() - alteredMs < 10_000, "drift is seen by itself");
    assert.equal((await session())?.up, true);
    await stage.store.delete("BGPPeer", "children");
    await until("the route is gone", () => !routes(node!.namespace).includes(CHILD));
    await until(
      "the address is gone",
      () => !inside(node!.namespace, "ip -4 -o address").includes(HOST),
    );
    assert.equal(await session(), undefined);
    inside(stage.lab.router.namespace, `ping -c 1 -W 2 ${pod.address}`);
  } finally {
    end();
  }
});
