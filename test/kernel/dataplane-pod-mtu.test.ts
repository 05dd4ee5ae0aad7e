/** The MTU of pods that run, changed from their node's side. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import { attachWorkload } from "../../src/dataplane/index.ts";
import { NODES, planFor } from "../../src/dataplane/plan-sketch.test-suite.ts";
import { ipv4 } from "../../src/lib/index.ts";
import { closeFd, deleteNamespace, namespacePath, openPath } from "../../src/lib/sys/index.ts";
import type { PodMtuPlan } from "../../src/plan/index.ts";
import { inside, lines, Namespaces, obstacleToKernelTests, openIn } from "./dataplane-support.ts";

const skip = obstacleToKernelTests();
const [local] = NODES;
const DEVICE = "cali0123456789a";
const ADDRESS = local!.block.replace("0/26", "5");

async function start(context: TestContext) {
  const namespaces = new Namespaces();
  const host = namespaces.make("host");
  const pod = namespaces.make("pod");
  inside(
    host,
    `ip link add eth0 type veth peer name far; ip link set eth0 up; ip link set far up
     ip address add ${local!.address}/24 dev eth0`,
  );
  await attachWorkload({
    hostNamespace: namespacePath(host),
    podNamespace: namespacePath(pod),
    hostDevice: DEVICE,
    podDevice: "eth0",
    addresses: [ipv4(ADDRESS)],
    mtu: 1500,
  });
  const dataplane = await openIn(host, "bpf");
  context.after(async () => {
    await dataplane.close();
    namespaces.close();
  });
  const apply = (send: number, accept: number, change: Partial<PodMtuPlan> = {}) =>
    dataplane.apply(
      planFor({
        local: local!,
        remotes: [],
        send: () => "none",
        receive: [],
        pods: [{ address: ADDRESS, device: DEVICE }],
        change: {
          podMtu: { send, accept, known: [1500, 1480, 1450], devices: [DEVICE], ...change },
        },
      }),
    );
  const limits = () => lines(inside(pod, "ip route show proto 80; ip -6 route show proto 80"));
  return { namespaces, host, pod, apply, limits };
}

const mtuOf = (name: string, device: string) =>
  Number(/ mtu ([0-9]+) /.exec(inside(name, `ip link show ${device}`))?.[1]);

describe("pod MTU", skip === undefined ? {} : { skip }, () => {
  it("limits what the pod sends, then what it takes, and back", async (context) => {
    const { host, pod, apply, limits } = await start(context);
    const both = () => [mtuOf(host, DEVICE), mtuOf(pod, "eth0")];
    const steps: [send: number, accept: number, limited: boolean][] = [
      [1450, 1500, true],
      [1450, 1450, false],
      [1450, 1500, true],
      [1480, 1500, true],
      [1500, 1500, false],
    ];
    for (const [send, accept, limited] of steps) {
      const { failures } = await apply(send, accept);
      assert.deepEqual(failures, []);
      assert.deepEqual(both(), [accept, accept]);
      assert.deepEqual(
        limits(),
        limited
          ? [
              `0.0.0.0/1 via 169.254.1.1 dev eth0 mtu ${send}`,
              `128.0.0.0/1 via 169.254.1.1 dev eth0 mtu ${send}`,
            ]
          : [],
      );
      assert.match(inside(pod, "ip route get 192.0.2.1"), /via 169\.254\.1\.1 dev eth0/);
      assert.deepEqual(lines(inside(pod, "ip route show default")), [
        "default via 169.254.1.1 dev eth0",
      ]);
      assert.equal((await apply(send, accept)).changes, 0, "nothing to do the second time");
    }
  });

  it("keeps a smaller MTU of a route of the pod's own, and splits every route it has", async (context) => {
    const { pod, apply, limits } = await start(context);
    inside(
      pod,
      `ip route replace default via 169.254.1.1 dev eth0 mtu 1400
       ip route add 198.51.100.0/24 via 169.254.1.1 dev eth0
       ip -6 address add fd00::5/128 dev eth0 nodad
       ip -6 route add default via fe80::1 dev eth0`,
    );
    await apply(1450, 1500);
    assert.deepEqual(
      limits()
        .map((line) => line.replace(/ (hoplimit|pref) .*/, ""))
        .sort(),
      [
        "0.0.0.0/1 via 169.254.1.1 dev eth0 mtu 1400",
        "128.0.0.0/1 via 169.254.1.1 dev eth0 mtu 1400",
        "198.51.100.0/25 via 169.254.1.1 dev eth0 mtu 1450",
        "198.51.100.128/25 via 169.254.1.1 dev eth0 mtu 1450",
        "8000::/1 via fe80::1 dev eth0 metric 1024 mtu 1450",
        "::/1 via fe80::1 dev eth0 metric 1024 mtu 1450",
      ].sort(),
    );
    await apply(1450, 1450);
    assert.deepEqual(limits(), []);
    assert.match(inside(pod, "ip route show default"), /mtu 1400/);
  });

  it("leaves alone what is not ours or was set by hand", async (context) => {
    const { namespaces, host, pod, apply } = await start(context);
    const other = namespaces.make("other");
    inside(host, `ip link add cali99 type veth peer name eth0 netns ${other}`);
    inside(host, `ip link set ${DEVICE} mtu 1400`);
    await apply(1450, 1450, { devices: [DEVICE, "cali99", "caligone", "eth0"] });
    assert.deepEqual(
      [mtuOf(host, DEVICE), mtuOf(pod, "eth0"), mtuOf(host, "cali99"), mtuOf(other, "eth0")],
      [1400, 1500, 1500, 1500],
    );
    assert.equal(mtuOf(host, "eth0"), 1500);
  });

  it("puts right what somebody else changed meanwhile", async (context) => {
    const { host, pod, apply } = await start(context);
    await apply(1450, 1450);
    inside(host, `ip link set ${DEVICE} mtu 1500`);
    inside(pod, "ip link set eth0 mtu 1480");
    await apply(1450, 1450);
    assert.deepEqual([mtuOf(host, DEVICE), mtuOf(pod, "eth0")], [1450, 1450]);
  });

  it("finds a namespace that only a process holds", async (context) => {
    const { host, pod, apply, namespaces } = await start(context);
    const child = spawn("nsenter", [`--net=${namespacePath(pod)}`, "sleep", "100"]);
    context.after(() => void child.kill("SIGKILL"));
    await once(child, "spawn");
    // Until nsenter has become sleep its namespace is still ours.
    while (
      !inside(
        pod,
        `readlink /proc/${child.pid}/ns/net /proc/self/ns/net | uniq | wc -l`,
      ).startsWith("1")
    );
    namespaces.forget(pod);
    deleteNamespace(pod);
    assert.deepEqual((await apply(1450, 1450)).failures, []);
    assert.equal(mtuOf(host, DEVICE), 1450);
    child.kill("SIGKILL");
    await once(child, "exit");
  });

  it("names a pod whose namespace nobody can be found to hold", async (context) => {
    const { host, pod, apply, namespaces } = await start(context);
    const fd = openPath(namespacePath(pod));
    context.after(() => closeFd(fd));
    namespaces.forget(pod);
    deleteNamespace(pod);
    const { failures } = await apply(1450, 1450);
    const message = "change it to 1450: the pod's network namespace was not found";
    assert.deepEqual(failures, [{ object: `MTU of pod ${DEVICE}`, message }]);
    assert.equal(mtuOf(host, DEVICE), 1500, "not one end without the other");
  });
});
