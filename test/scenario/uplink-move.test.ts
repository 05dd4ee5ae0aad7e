/**
 * A node's address is stored without a mask, moves to another interface, and becomes another one: its
 * agent, never restarted, follows.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { askAgent } from "../../src/lab/index.ts";
import { hasCode, sleep } from "../../src/lib/index.ts";
import { clock, losses, nothingLost, Stage } from "./stage.ts";

const skip = process.getuid?.() === 0 ? false : "needs root to make network namespaces";
let stage: Stage;

before(async () => {
  if (skip) return;
  stage = await Stage.open("uplink", { podsPerNode: 1 });
});
after(async () => {
  await stage?.close();
});

function inside(member: string, command: string): string {
  const args = [`--net=/run/netns/uplink-${member}`, "sh", "-ec", command];
  return execFileSync("nsenter", args, { encoding: "utf8" });
}

async function storeAddress(node: string, ipv4Address: string): Promise<void> {
  for (;;) {
    const stored = await stage.store.get("Node", node);
    const spec = { ...stored.spec, bgp: { ...stored.spec.bgp, ipv4Address } };
    try {
      await stage.store.update<"Node">({ ...stored, spec });
      return;
    } catch (error) {
      if (!hasCode(error, "RESOURCE_CONFLICT")) throw error;
    }
  }
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<number> {
  const startedMs = clock.monotonicMs();
  while (!(await holds())) {
    if (clock.monotonicMs() - startedMs > 30_000) {
      assert.fail(`${what}: not within 30 s; node1: ${(await stage.routes("node1")).join("; ")}`);
    }
    await sleep(clock, 50);
  }
  return clock.monotonicMs() - startedMs;
}

const agent = (name: string) =>
  askAgent(stage.lab.nodes.find((node) => node.name === name)!.agentSocket);
const routeTo = async (node: string) => {
  const block = await stage.blockOf(node);
  return (await stage.routes("node1")).find((line) => line.startsWith(`${block} `)) ?? "";
};
const uplinkOfNode1 = () =>
  inside("node1", "ip -o -4 address").match(/\d+: (eth\d) +inet 172/)![1]!;
const log = () => readFileSync(stage.lab.nodes[0]!.logFile, "utf8");

test("CrossSubnet goes by the interface's mask where none is stored, and says so", {
  skip,
  timeout: 90_000,
}, async () => {
  const report = await stage.underTraffic(async () => {
    await storeAddress("node1", "172.139.20.75");
    await stage.patch("ipip-cross-subnet");
    await stage.settled();
  });
  assert.deepEqual(losses(report), nothingLost);
  assert.match(await routeTo("node2"), /via 172\.139\.20\.76 dev eth0 /, "plain in the subnet");
  assert.match(await routeTo("node3"), /dev tunl0 /);
  const warning =
    "Node node1: spec.bgp.ipv4Address 172.139.20.75 has no mask: CrossSubnet goes by the /24 of eth0; store 172.139.20.75/24";
  await until("the warning", async () => (await agent("node1")).failures.includes(warning));
  const mode = await stage.store.get("NodeMode", "node1");
  assert.ok(mode.status?.failures.includes(warning));
  assert.equal(log().split(warning).length - 1, 1, "logged once");
  await until("the warning at others", async () =>
    (await agent("node2")).failures.some((line) => line.startsWith("Node node1: ")),
  );
  await storeAddress("node1", "172.139.20.75/24");
  await until("no warning", async () => (await agent("node1")).failures.length === 0);
});

for (const mode of ["vxlan-cross-subnet", "ipip-cross-subnet", "none"] as const) {
  test(`${mode}: the address moves to another interface`, { skip, timeout: 90_000 }, async () => {
    await stage.patch(mode);
    await stage.settled();
    const { pid } = await agent("node1");
    const from = uplinkOfNode1();
    const to = `eth${Number(from.slice(3)) + 1}`;
    inside(
      "router",
      `ip link add ${to}n1 type veth peer name ${to} netns uplink-node1
       ip link set ${to}n1 up master br20`,
    );
    inside(
      "node1",
      `ip link set ${to} up; ip address add 172.139.20.75/24 dev ${to}
       ip address del 172.139.20.75/24 dev ${from}; ip link set ${from} down
       ip route replace default via 172.139.20.1 dev ${to}`,
    );
    await until("routes on the new interface", async () => {
      const near = await routeTo("node2");
      const far = await routeTo("node3");
      const farDevice = mode === "none" ? ` dev ${to} ` : / dev (tunl0|vxlan\.calico) /;
      return near.includes(` dev ${to} `) && far.search(farDevice) >= 0;
    });
    const [pod1, pod2, pod3] = ["node1", "node2", "node3"].map(
      (node) => stage.lab.pods.find((pod) => pod.node === node)!,
    );
    for (const { address } of [pod2!, pod3!]) {
      await until(`ping ${address}`, () =>
        inside(
          pod1!.name,
          `ping -c 1 -W 1 ${address} >/dev/null && echo yes || echo no`,
        ).startsWith("yes"),
      );
    }
    if (mode === "vxlan-cross-subnet") {
      assert.match(inside("node1", "ip -d link show vxlan.calico"), new RegExp(` dev ${to} `));
    }
    assert.equal((await agent("node1")).pid, pid, "not restarted");
    inside("node1", `ip link del ${from}`);
    const report = await stage.underTraffic(() => sleep(clock, 500));
    assert.deepEqual(losses(report), nothingLost, "at rest on the new interface");
  });
}

test("the node gets another address", { skip, timeout: 90_000 }, async () => {
  await stage.patch("vxlan");
  await stage.settled();
  const { pid } = await agent("node1");
  const device = uplinkOfNode1();
  inside("node1", `ip address add 172.139.20.99/24 dev ${device}`);
  await storeAddress("node1", "172.139.20.99/24");
  await until("the tunnel's address", () =>
    / local 172\.139\.20\.99 /.test(inside("node1", "ip -d link show vxlan.calico")),
  );
  await until("forwarding entries of the others", () =>
    inside("node2", "bridge fdb show dev vxlan.calico").includes("172.139.20.99"),
  );
  await stage.settled();
  // Else the kernel takes the second address of a subnet away with the first.
  inside(
    "node1",
    `echo 1 >/proc/sys/net/ipv4/conf/${device}/promote_secondaries
     ip address del 172.139.20.75/24 dev ${device}
     ip route replace default via 172.139.20.1 dev ${device}`,
  );
  await until("ready", async () => (await agent("node1")).failures.length === 0);
  const report = await stage.underTraffic(() => sleep(clock, 500));
  assert.deepEqual(losses(report), nothingLost);
  await stage.patch("none");
  await stage.settled();
  const after = await stage.underTraffic(() => sleep(clock, 500));
  assert.deepEqual(losses(after), nothingLost);
  assert.equal((await agent("node1")).pid, pid, "not restarted");
});
