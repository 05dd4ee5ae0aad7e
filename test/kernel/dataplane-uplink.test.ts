/** The node's address moves to another device, or is another one: tunnels follow, and nothing is lost of them. */

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { NODES, planFor } from "../../src/dataplane/plan-sketch.test-suite.ts";
import { sleep, systemClock } from "../../src/lib/index.ts";
import { inside, lines, Namespaces, obstacleToKernelTests, openIn } from "./dataplane-support.ts";

const skip = obstacleToKernelTests();
const [local, ...remotes] = NODES;

async function start(context: TestContext) {
  const namespaces = new Namespaces();
  const host = namespaces.make("uplink");
  inside(
    host,
    `for n in 0 1; do
       ip link add eth$n type veth peer name far$n; ip link set eth$n up; ip link set far$n up
     done
     ip address add 172.139.20.75/24 dev eth0`,
  );
  const dataplane = await openIn(host, "bpf");
  context.after(async () => {
    await dataplane.close();
    namespaces.close();
  });
  const plan = (uplink: string, address = local!.address) =>
    planFor({
      local: { ...local!, address },
      remotes,
      send: (remote) => (remote.name === "n2" ? "vxlan" : "ipip"),
      receive: ["ipip", "vxlan"],
      uplink,
    });
  const filters = (device: string) =>
    inside(host, `tc filter show dev ${device} ingress 2>/dev/null || true`);
  const tunnelState = () => ({
    vxlan: inside(host, "ip -o link show vxlan.calico").split(":")[0],
    routes: lines(inside(host, "ip route show dev vxlan.calico; ip route show dev tunl0")),
    neighbours: lines(inside(host, "ip neigh show dev vxlan.calico")),
    fdb: lines(inside(host, "bridge fdb show dev vxlan.calico")),
    addresses: lines(inside(host, "ip -o -4 address show dev vxlan.calico")),
  });
  return { host, dataplane, plan, filters, tunnelState };
}

describe("uplink", skip === undefined ? {} : { skip }, () => {
  it("moves under the tunnels, which keep their routes and entries", async (context) => {
    const { host, dataplane, plan, filters, tunnelState } = await start(context);
    assert.deepEqual((await dataplane.apply(plan("eth0"))).failures, []);
    const before = tunnelState();
    assert.equal(before.routes.length, 2);
    assert.match(filters("eth0"), /bpf/);

    inside(host, "ip address add 172.139.20.75/24 dev eth1; ip link set eth0 down");
    const { host: found } = await dataplane.read("172.139.20.75");
    assert.equal(found.uplink.name, "eth1", "of two holders the one that is up");
    inside(host, "ip address del 172.139.20.75/24 dev eth0");
    const moved = await dataplane.apply(plan("eth1"));
    assert.deepEqual(moved.failures, []);
    assert.deepEqual(tunnelState(), before, "the same device, with all that was on it");
    assert.match(inside(host, "ip -d link show vxlan.calico"), / local 172.139.20.75 dev eth1 /);
    assert.match(filters("eth1"), /bpf/);
    assert.doesNotMatch(filters("eth0"), /bpf/);
    assert.equal((await dataplane.apply(plan("eth1"))).changes, 0);
  });

  it("gets another address, and the tunnels send from it", async (context) => {
    const { host, dataplane, plan, tunnelState } = await start(context);
    await dataplane.apply(plan("eth0"));
    const before = tunnelState();
    inside(host, "ip address add 172.139.20.99/24 dev eth0");
    assert.deepEqual((await dataplane.apply(plan("eth0", "172.139.20.99"))).failures, []);
    assert.deepEqual(tunnelState(), before);
    assert.match(inside(host, "ip -d link show vxlan.calico"), / local 172.139.20.99 dev eth0 /);
  });

  it("with a smaller MTU is told, as are interfaces that come", async (context) => {
    const { host, dataplane } = await start(context);
    let told = 0;
    dataplane.onDrift(() => told++);
    await dataplane.read("172.139.20.75");
    const mtus = async () =>
      (await dataplane.read("172.139.20.75")).host.interfaces
        .filter(({ name, running }) => running && name.startsWith("eth"))
        .map(({ mtu }) => mtu);
    assert.deepEqual(await mtus(), [1500, 1500]);
    inside(host, "ip link set eth0 mtu 1400");
    for (let i = 0; i < 50 && told === 0; i++) await sleep(systemClock, 20);
    assert.ok(told > 0);
    assert.deepEqual(await mtus(), [1400, 1500]);
    await sleep(systemClock, 200);
    told = 0;
    inside(host, "ip link add bond9 type bridge; ip link set bond9 up");
    for (let i = 0; i < 50 && told === 0; i++) await sleep(systemClock, 20);
    assert.ok(told > 0, "a device that no pattern has been asked about yet");
    await sleep(systemClock, 200);
    told = 0;
    inside(host, "ip address add 172.139.40.1/24 dev eth1");
    for (let i = 0; i < 50 && told === 0; i++) await sleep(systemClock, 20);
    assert.ok(told > 0, "an address: the node's may come to any device");
  });
});
