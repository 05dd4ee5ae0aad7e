/** Both families of a dual-stack network change mode at once, and not one packet of either is lost. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { attachWorkload } from "../../src/dataplane/index.ts";
import { Ipam } from "../../src/ipam/index.ts";
import { killAgent, layout, restartAgent } from "../../src/lab/index.ts";
import {
  addressAt,
  formatAddress,
  formatPrefix,
  hostPrefix,
  type IpAddress,
  ipAddress,
  prefix,
  sleep,
} from "../../src/lib/index.ts";
import type { ModeName } from "../../src/model/index.ts";
import { openRouteSocket } from "../../src/netlink/index.ts";
import { clock, losses, nothingLost, Stage } from "./stage.ts";

const skip = process.getuid?.() === 0 ? false : "needs root to make network namespaces";
let stage: Stage;

before(async () => {
  if (skip) return;
  stage = await Stage.open("scenario6", { dualStack: true });
});
after(async () => {
  await stage?.close();
});

type Mode6 = Extract<ModeName, "vxlan" | "vxlan-cross-subnet" | "none">;
const tail = "metric 1024 pref medium";
const vxlan = (n: number) => [
  `T${n} dev vxlan-v6.calico proto 80 ${tail}`,
  `B${n} via T${n} dev vxlan-v6.calico proto 80 metric 1024 onlink pref medium`,
];

/** Of node1, as `ip -6 route` shows them; B1..B4 stand for the nodes' blocks, T2..T4 for VTEPs. */
const expectedRoutes: Record<Mode6, string[]> = {
  vxlan: [...vxlan(2), ...vxlan(3), ...vxlan(4)],
  "vxlan-cross-subnet": [
    `B2 via 2001:db8:20::76 dev eth0 proto 80 ${tail}`,
    ...vxlan(3),
    ...vxlan(4),
  ],
  none: [
    `B2 via 2001:db8:20::76 dev eth0 proto bird ${tail}`,
    `B3 via 2001:db8:20::1 dev eth0 proto bird ${tail}`,
    `B4 via 2001:db8:20::1 dev eth0 proto bird ${tail}`,
  ],
};

async function assertRoutes(mode: Mode6): Promise<void> {
  const names = new Map<string, string>();
  for (const node of stage.nodeNames) {
    names.set(`B${node.slice(-1)}`, await stage.blockOf(node, 6));
    const vtep = (await stage.store.get("Node", node)).spec.ipv6VXLANTunnelAddr;
    if (vtep) names.set(`T${node.slice(-1)}`, vtep);
  }
  const own = `blackhole B1 dev lo proto bird ${tail}`;
  const expected = [own, ...expectedRoutes[mode]].map((line) =>
    line.replace(/\b[BT][1-4]\b/g, (name) => names.get(name) ?? name),
  );
  assert.deepEqual(await stage.routes("node1", 6), expected.sort(), mode);
}

const devices = ["tunl0", "vxlan.calico", "vxlan-v6.calico"];

/** Waits until every kernel has exactly the tunnel devices that the two modes need. */
async function narrowed(mode: ModeName, mode6: Mode6): Promise<void> {
  const needed = [
    ...(mode.startsWith("ipip") ? ["tunl0"] : []),
    ...(mode.startsWith("vxlan") ? ["vxlan.calico"] : []),
    ...(mode6.startsWith("vxlan") ? ["vxlan-v6.calico"] : []),
  ].join();
  const startedMs = clock.monotonicMs();
  for (const { name, namespace } of stage.lab.nodes) {
    for (;;) {
      const socket = openRouteSocket({ namespace });
      const links = (await socket.links()).filter(({ kind, up }) => kind !== "ipip" || up);
      socket.close();
      const held = devices.filter((device) => links.some((link) => link.name === device)).join();
      if (held === needed) break;
      assert.ok(clock.monotonicMs() - startedMs < 30_000, `${name} has ${held}, needs ${needed}`);
      await sleep(clock, 100);
    }
  }
}

async function change(mode: ModeName, mode6: Mode6): Promise<void> {
  await Promise.all([stage.patch(mode), stage.patch(mode6, layout.poolName6)]);
  await stage.settled();
}

const tour: [ModeName, Mode6][] = [
  ["vxlan", "none"],
  ["none", "vxlan-cross-subnet"],
  ["ipip-cross-subnet", "none"],
  ["vxlan-cross-subnet", "vxlan"],
  ["ipip", "vxlan-cross-subnet"],
];

test("both pools change at the same time: exact routes, nothing lost in either family", {
  skip,
  timeout: 180_000,
}, async () => {
  await assertRoutes("vxlan");
  for (const [mode, mode6] of tour) {
    const report = await stage.underTraffic(async () => {
      await change(mode, mode6);
      await assertRoutes(mode6);
      await narrowed(mode, mode6);
    });
    assert.deepEqual(losses(report), nothingLost, `to ${mode} and ${mode6}`);
    assert.ok(report.total.sent > 1000);
  }
});

test("a node that misses the change of one family is sent the old of that family only", {
  skip,
  timeout: 120_000,
}, async () => {
  await change("ipip", "none");
  const report = await stage.underTraffic(async () => {
    await killAgent(stage.lab, "node3");
    await stage.patch("vxlan", layout.poolName6);
    const to = async (node: string) => {
      const block = await stage.blockOf(node, 6);
      return (await stage.routes("node1", 6)).find((line) => line.startsWith(block)) ?? "";
    };
    await until(async () => (await to("node2")).includes(" dev vxlan-v6.calico "));
    assert.match(await to("node3"), / dev eth0 /, "node3 does not accept VXLAN over IPv6");
    await restartAgent(stage.lab, "node3");
    await stage.settled();
  });
  assert.deepEqual(losses(report), nothingLost);
  await assertRoutes("vxlan");
});

test("addresses borrowed from another node's block are reached in every mode", {
  skip,
  timeout: 180_000,
}, async () => {
  const { store, lab } = stage;
  const pod = lab.pods.find(({ name }) => name === "pod3b")!;
  const node = lab.nodes.find(({ name }) => name === pod.node)!;
  const ipam = new Ipam({ store, clock });
  const borrowed = [];
  for (const family of [4, 6] as const) {
    const address = addressAt(prefix(await stage.blockOf("node1", family)), 40);
    const handle = `borrowed-${family}`;
    await ipam.assignIp({
      address,
      handle,
      attributes: { node: pod.node },
      node: pod.node,
      use: "Workload",
    });
    borrowed.push(address);
  }
  const own = [pod.address, pod.address6!].map(ipAddress);
  const attach = async (wanted: readonly IpAddress[]) => {
    await attachWorkload({
      hostNamespace: node.namespace,
      podNamespace: pod.namespace,
      hostDevice: pod.interfaceName,
      podDevice: "eth0",
      addresses: wanted,
      mtu: 1500,
      routeMtu: 1430,
    });
    const { items } = await store.list("WorkloadEndpoint");
    const endpoint = items.find(({ spec }) => spec.pod === pod.name)!;
    const ipNetworks = wanted.map((address) => formatPrefix(hostPrefix(address)));
    await store.update<"WorkloadEndpoint">({ ...endpoint, spec: { ...endpoint.spec, ipNetworks } });
  };
  await attach([...own, ...borrowed]);
  stage.furtherEndpoints = borrowed.map((address, index) => ({
    name: `borrowed/${index === 0 ? 4 : 6}`,
    namespace: pod.namespace,
    address: formatAddress(address),
  }));
  const [four, six] = borrowed.map(formatAddress) as [string, string];
  const vtep = async () => (await store.get("Node", "node3")).spec.ipv6VXLANTunnelAddr;
  // The block's own node and a third one, both families.
  for (const name of ["node1", "node2"]) {
    await until(async () => {
      const routes = [...(await stage.routes(name)), ...(await stage.routes(name, 6))];
      const wanted = [
        `${four} via 172.139.30.75 dev tunl0 proto bird onlink`,
        `${six} via ${await vtep()} dev vxlan-v6.calico proto 80 metric 1024 onlink pref medium`,
      ];
      return wanted.every((line) => routes.includes(line));
    });
  }
  const report = await stage.underTraffic(async () => {
    for (const [mode, mode6] of tour) await change(mode, mode6);
  });
  assert.deepEqual(losses(report), nothingLost);

  stage.furtherEndpoints = [];
  await attach(own);
  await ipam.releaseByHandle("borrowed-4");
  await ipam.releaseByHandle("borrowed-6");
  await until(async () => {
    const routes = [...(await stage.routes("node2")), ...(await stage.routes("node2", 6))];
    return !routes.some((line) => line.startsWith(`${four} `) || line.startsWith(`${six} `));
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  const startedMs = clock.monotonicMs();
  while (!(await holds())) {
    assert.ok(clock.monotonicMs() - startedMs < 15_000, "did not come to hold in 15 s");
    await sleep(clock, 100);
  }
}
