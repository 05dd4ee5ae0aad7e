/** What an operator reads on a dual-stack node with `ip -6`, in each mode IPv6 has. */

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { ipAddress, isPrefix4 } from "../../src/lib/index.ts";
import { type NodePlan, plan, renderRoute, type Snapshot } from "../../src/plan/index.ts";
import { dualStackSnapshot, pool6Fact, poolFact } from "../../src/plan/testing/snapshot.ts";
import { inside, lines, Namespaces, obstacleToKernelTests, openIn } from "./dataplane-support.ts";

const skip = obstacleToKernelTests();

/** A host with the addresses of node1 of the snapshot, one pod's device, and a router beyond it. */
function host(context: TestContext): string {
  const namespaces = new Namespaces();
  context.after(() => namespaces.close());
  const name = namespaces.make("six");
  inside(
    name,
    `ip link add eth0 type veth peer name far0; ip link set far0 up; ip link set eth0 up
     ip link add cali0123456789a type veth peer name pod0; ip link set pod0 up; ip link set cali0123456789a up
     ip address add 172.139.20.75/24 dev eth0; ip route add default via 172.139.20.1
     ip address add 2001:db8:20::75/64 dev eth0 nodad; ip -6 route add default via 2001:db8:20::1`,
  );
  return name;
}

async function opened(context: TestContext, name: string) {
  const dataplane = await openIn(name);
  context.after(() => dataplane.close());
  return dataplane;
}

const planned6 = ({ routes }: NodePlan) =>
  routes
    .filter(({ destination }) => !isPrefix4(destination))
    .map(renderRoute)
    .sort();

const ours6 = (name: string) =>
  lines(inside(name, "ip -6 route"))
    .filter((line) => /proto (bird|80)|dev cali/.test(line) && !line.startsWith("fe80::"))
    .sort();

type Change = Partial<Snapshot>;
const modes: readonly (readonly [string, Change])[] = [
  ["VXLAN Always", { pools: [poolFact(), pool6Fact({ vxlanMode: "Always" })] }],
  ["none", { pools: [poolFact(), pool6Fact()] }],
  ["VXLAN CrossSubnet", { pools: [poolFact(), pool6Fact({ vxlanMode: "CrossSubnet" })] }],
  ["none, narrowed", { pools: [poolFact(), pool6Fact()], receive: ["ipip"] }],
  ["VXLAN Always again", { pools: [poolFact(), pool6Fact({ vxlanMode: "Always" })] }],
];

describe("IPv6 on a dual-stack node", skip === undefined ? {} : { skip }, () => {
  it("moves through all modes to exactly the planned routes", async (context) => {
    const name = host(context);
    const dataplane = await opened(context, name);
    for (const [mode, change] of modes) {
      const wanted = plan(dualStackSnapshot(change));
      const actual = await dataplane.apply(wanted);
      assert.deepEqual(actual.failures, [], mode);
      assert.deepEqual(ours6(name), planned6(wanted), mode);
      assert.equal(actual.receives.includes("vxlan-v6"), !change.receive, mode);
      assert.equal((await dataplane.apply(wanted)).changes, 0, `${mode}, applied again`);
      assert.deepEqual((await dataplane.compare(wanted)).differences, [], mode);
    }
  });

  it("never leaves a block without a route while it moves", async (context) => {
    const name = host(context);
    const dataplane = await opened(context, name);
    await dataplane.apply(plan(dualStackSnapshot(modes[0]![1])));
    const monitor = `timeout 2 ip -6 monitor route >/tmp/${name}.log 2>&1 &
      sleep 0.3`;
    inside(name, monitor);
    await dataplane.apply(plan(dualStackSnapshot(modes[1]![1])));
    await dataplane.apply(plan(dualStackSnapshot(modes[0]![1])));
    const deleted = inside(name, `sleep 0.3; cat /tmp/${name}.log; rm /tmp/${name}.log`);
    assert.match(deleted, /fd00:244::200\/122/);
    assert.doesNotMatch(deleted, /Deleted [^\n]*\/122/);
  });

  it("makes vxlan-v6.calico as Calico does, with neighbours and forwarding entries", async (context) => {
    const name = host(context);
    const dataplane = await opened(context, name);
    await dataplane.apply(plan(dualStackSnapshot()));
    const device = inside(name, "ip -d link show vxlan-v6.calico");
    assert.match(device, /mtu 1430 .*link\/ether 66:00:00:00:06:01 /s);
    assert.match(device, /vxlan id 4096 local 2001:db8:20::75 dev eth0 .*dstport 4789 nolearning/s);
    assert.match(
      inside(name, "ip -6 address show dev vxlan-v6.calico"),
      /inet6 fd00:244::100\/128 scope global (nodad )?\n/,
    );
    const permanent = "nud permanent dev vxlan-v6.calico";
    assert.deepEqual(lines(inside(name, `ip -6 neighbour show ${permanent}`)).sort(), [
      "fd00:244::200 lladdr 66:00:00:00:06:02 PERMANENT",
      "fd00:244::300 lladdr 66:00:00:00:06:03 PERMANENT",
      "fd00:244::400 lladdr 66:00:00:00:06:04 PERMANENT",
    ]);
    assert.deepEqual(lines(inside(name, "bridge fdb show dev vxlan-v6.calico")).sort(), [
      "66:00:00:00:06:02 dst 2001:db8:20::76 self permanent",
      "66:00:00:00:06:03 dst 2001:db8:30::75 self permanent",
      "66:00:00:00:06:04 dst 2001:db8:30::76 self permanent",
    ]);
    const sysctls = "forwarding proxy_ndp accept_ra";
    const read = `cd /proc/sys/net/ipv6/conf/cali0123456789a; cat ${sysctls}; cat ../all/forwarding ../eth0/accept_ra`;
    assert.deepEqual(lines(inside(name, read)), ["1", "1", "0", "1", "2"]);
    const table = inside(name, "nft list table ip6 switchyard");
    assert.match(table, /elements = \{ 2001:db8:20::76,\s+2001:db8:30::75,\s+2001:db8:30::76 \}/);
    assert.match(table, /ip6 saddr @masq-ipam-pools ip6 daddr != @network-ip-pools masquerade/);
    assert.doesNotMatch(table, /protocol 4/);
  });

  it("gives up everything of IPv6 when the node has none any more", async (context) => {
    const name = host(context);
    const dataplane = await opened(context, name);
    await dataplane.apply(plan(dualStackSnapshot()));
    const nodes = dualStackSnapshot().nodes.map(({ ipv6: _, ...node }) => node);
    const { failures } = await dataplane.apply(
      plan(dualStackSnapshot({ nodes, workloads: [], learned: [] })),
    );
    assert.deepEqual(failures, []);
    assert.deepEqual(ours6(name), [
      "blackhole fd00:244::100/122 dev lo proto bird metric 1024 pref medium",
    ]);
    assert.doesNotMatch(inside(name, "ip -br link"), /vxlan-v6/);
    assert.doesNotMatch(inside(name, "nft list tables"), /ip6 switchyard/);
  });

  it("accepts every form of the IPv6 firewall", async (context) => {
    const name = host(context);
    const dataplane = await opened(context, name);
    const base = plan(dualStackSnapshot());
    const firewall6 = {
      ...base.firewall6!,
      natPortRange: "32768:65535",
      natOutgoingAddress: ipAddress("2001:db8:20::75"),
      excludedHosts: [ipAddress("2001:db8:20::76"), ipAddress("2001:db8:30::75")],
    };
    assert.deepEqual((await dataplane.apply({ ...base, firewall6 })).failures, []);
    assert.match(
      inside(name, "nft list table ip6 switchyard"),
      /snat to \[2001:db8:20::75\]:32768-65535 fully-random/,
    );
    assert.deepEqual((await dataplane.compare({ ...base, firewall6 })).differences, []);
  });

  it("repairs an IPv6 route that somebody deletes", async (context) => {
    const name = host(context);
    const dataplane = await opened(context, name);
    const wanted = plan(dualStackSnapshot());
    await dataplane.apply(wanted);
    const told = new Promise<void>((resolve) => dataplane.onDrift(resolve));
    inside(name, "ip -6 route del fd00:244::200/122; ip -6 route del fd00:244::100/122");
    await told;
    assert.equal((await dataplane.apply(wanted)).changes, 2);
    assert.deepEqual(ours6(name), planned6(wanted));
  });
});
