/** What an operator reads on a node in each of the five modes, and what is not ours. */

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import {
  NODES,
  type NodeSketch,
  type PlanSketch,
  planFor,
} from "../../src/dataplane/plan-sketch.test-suite.ts";
import type { NodePlan } from "../../src/plan/index.ts";
import { inside, lines, Namespaces, obstacleToKernelTests, openIn } from "./dataplane-support.ts";

const skip = obstacleToKernelTests();
const [local, ...remotes] = NODES as [NodeSketch, NodeSketch, NodeSketch];
const via = "172.139.20.1";
const pods = [{ address: "10.244.1.5", device: "cali0123456789a" }];

const OWN = [
  "10.244.1.5 dev cali0123456789a scope link",
  "blackhole 10.244.1.0/26 proto bird",
  "default via 172.139.20.1 dev eth0",
  "172.139.20.0/24 dev eth0 proto kernel scope link src 172.139.20.75",
];

interface Mode {
  readonly name: string;
  readonly sketch: Pick<PlanSketch, "send" | "receive" | "plainProtocol">;
  /** Routes to the block in the own subnet, and to the one beyond the router. */
  readonly routes: readonly [string, string];
}

const crossSubnet = (tunnel: "ipip" | "vxlan") => (remote: NodeSketch) =>
  remote.name === "n3" ? tunnel : "none";

const modes: readonly Mode[] = [
  {
    name: "IPIP Always",
    sketch: { send: () => "ipip", receive: ["ipip"] },
    routes: [
      "10.244.2.0/26 via 172.139.20.76 dev tunl0 proto bird onlink",
      "10.244.3.0/26 via 172.139.30.75 dev tunl0 proto bird onlink",
    ],
  },
  {
    name: "None",
    sketch: { send: (remote) => (remote.name === "n3" ? { via } : "none"), receive: [] },
    routes: [
      "10.244.2.0/26 via 172.139.20.76 dev eth0 proto bird",
      "10.244.3.0/26 via 172.139.20.1 dev eth0 proto bird",
    ],
  },
  {
    name: "IPIP CrossSubnet",
    sketch: { send: crossSubnet("ipip"), receive: ["ipip"] },
    routes: [
      "10.244.2.0/26 via 172.139.20.76 dev eth0 proto bird",
      "10.244.3.0/26 via 172.139.30.75 dev tunl0 proto bird onlink",
    ],
  },
  {
    name: "VXLAN Always",
    sketch: { send: () => "vxlan", receive: ["vxlan"] },
    routes: [
      "10.244.2.0/26 via 10.244.2.0 dev vxlan.calico proto 80 onlink",
      "10.244.3.0/26 via 10.244.3.0 dev vxlan.calico proto 80 onlink",
    ],
  },
  {
    name: "VXLAN CrossSubnet",
    sketch: { send: crossSubnet("vxlan"), receive: ["vxlan"], plainProtocol: 80 },
    routes: [
      "10.244.2.0/26 via 172.139.20.76 dev eth0 proto 80",
      "10.244.3.0/26 via 10.244.3.0 dev vxlan.calico proto 80 onlink",
    ],
  },
];

const planOf = (mode: Mode, change: Partial<PlanSketch> = {}): NodePlan =>
  planFor({ local, remotes, pods, ...mode.sketch, ...change });

function host(context: TestContext): string {
  const namespaces = new Namespaces();
  context.after(() => namespaces.close());
  const name = namespaces.make("host");
  inside(
    name,
    `ip link add eth0 type veth peer name wire
     ip link add ${pods[0]!.device} type veth peer name pod
     for device in wire eth0 pod ${pods[0]!.device}; do ip link set $device up; done
     ip address add 172.139.20.75/24 dev eth0
     ip route add default via ${via}`,
  );
  return name;
}

async function opened(context: TestContext, name: string) {
  const dataplane = await openIn(name);
  context.after(() => dataplane.close());
  return dataplane;
}

const routesOf = (name: string) => lines(inside(name, "ip route")).sort();

describe("a node's kernel", skip === undefined ? {} : { skip }, () => {
  it("shows the routes of each mode, going through all five and back", async (context) => {
    const name = host(context);
    const dataplane = await opened(context, name);
    for (const mode of [...modes, modes[0]!]) {
      const actual = await dataplane.apply(planOf(mode));
      assert.deepEqual(actual.failures, [], mode.name);
      assert.deepEqual(routesOf(name), [...OWN, ...mode.routes].sort(), mode.name);
      assert.equal((await dataplane.apply(planOf(mode))).changes, 0, mode.name);
    }
  });

  it("makes vxlan.calico, its neighbours and forwarding entries exactly", async (context) => {
    const name = host(context);
    const dataplane = await opened(context, name);
    await dataplane.apply(planOf(modes[3]!));
    const link = inside(name, "ip -d link show vxlan.calico");
    assert.match(link, /mtu 1450 .*\n +link\/ether 66:00:00:00:00:01 /);
    assert.match(
      link,
      /vxlan id 4096 local 172\.139\.20\.75 dev eth0 srcport 0 0 dstport 4789 nolearning /,
    );
    assert.doesNotMatch(link, / group (?!default)|l2miss|gbp|remote/);
    assert.deepEqual(lines(inside(name, "ip neigh show dev vxlan.calico")).sort(), [
      "10.244.2.0 lladdr 66:00:00:00:00:02 PERMANENT",
      "10.244.3.0 lladdr 66:00:00:00:00:03 PERMANENT",
    ]);
    assert.deepEqual(lines(inside(name, "bridge fdb show dev vxlan.calico")).sort(), [
      "66:00:00:00:00:02 dst 172.139.20.76 self permanent",
      "66:00:00:00:00:03 dst 172.139.30.75 self permanent",
    ]);
    assert.match(inside(name, "ip -4 address show vxlan.calico"), /inet 10\.244\.1\.0\/32 /);
  });

  it("makes vxlan.calico anew only if it must, and corrects the rest in place", async (context) => {
    const name = host(context);
    const dataplane = await opened(context, name);
    const index = () => inside(name, "cat /proc/net/dev_snmp6/vxlan.calico | head -1");
    inside(
      name,
      `ip link add vxlan.calico address 66:00:00:00:00:01 type vxlan id 4097 dstport 4789 local 172.139.20.75 dev eth0 nolearning`,
    );
    const wrong = index();
    await dataplane.apply(planOf(modes[3]!));
    const right = index();
    assert.notEqual(right, wrong);
    inside(
      name,
      `ip link set vxlan.calico mtu 1300
       ip address add 10.244.1.77/32 dev vxlan.calico
       ip neigh replace 10.244.9.0 lladdr 66:00:00:00:00:09 dev vxlan.calico nud permanent
       bridge fdb replace 66:00:00:00:00:02 dev vxlan.calico dst 172.139.20.99 self permanent`,
    );
    const actual = await dataplane.apply(planOf(modes[3]!));
    assert.deepEqual([actual.changes, actual.failures], [4, []]);
    assert.equal(index(), right);
    assert.match(inside(name, "ip link show vxlan.calico"), /mtu 1450/);
    assert.doesNotMatch(inside(name, "ip address show vxlan.calico"), /10\.244\.1\.77/);
    assert.doesNotMatch(inside(name, "ip neigh show dev vxlan.calico"), /10\.244\.9\.0/);
    assert.match(inside(name, "bridge fdb show dev vxlan.calico"), /:02 dst 172\.139\.20\.76/);
  });

  it("adopts routes of another protocol and metric, and leaves what is not ours", async (context) => {
    const name = host(context);
    const foreign = [
      "198.51.100.0/24 via 172.139.20.9 dev eth0 proto static",
      "203.0.113.0/24 dev eth0 proto dhcp scope link metric 100",
    ];
    inside(
      name,
      `ip route add 198.51.100.0/24 via 172.139.20.9 proto static
       ip route add 203.0.113.0/24 dev eth0 proto dhcp metric 100
       ip route add 10.244.2.0/26 via 172.139.20.76 proto bird table 100
       ip route add 10.244.2.0/26 via 172.139.20.76 proto bird metric 32
       ip route add 10.244.3.0/26 via 172.139.20.1 proto 80
       ip route add 10.244.7.0/26 via 172.139.20.76 proto bird
       nft add table ip other
       nft add chain ip other c '{ type filter hook input priority 0; policy accept; }'
       nft add table inet switchyard`,
    );
    const dataplane = await opened(context, name);
    const none = modes[1]!;
    assert.deepEqual((await dataplane.apply(planOf(none))).failures, []);
    assert.deepEqual(routesOf(name), [...OWN, ...none.routes, ...foreign].sort());
    assert.match(inside(name, "ip route show table 100"), /10\.244\.2\.0\/26/);
    assert.deepEqual(lines(inside(name, "nft list tables")), [
      "table ip other",
      "table inet switchyard",
      "table ip switchyard",
    ]);
  });

  it("keeps the kernel as it is over a restart, whatever the mode", async (context) => {
    const name = host(context);
    for (const mode of modes) {
      const first = await opened(context, name);
      await first.apply(planOf(mode, { natOutgoing: true }));
      await first.close();
      const everything = () =>
        inside(
          name,
          "ip route; ip -o link; ip -o -4 address; ip neigh show nud permanent; nft list ruleset; bridge fdb",
        );
      const before = everything();
      const second = await opened(context, name);
      const actual = await second.apply(planOf(mode, { natOutgoing: true }));
      assert.deepEqual([actual.changes, actual.failures], [0, []], mode.name);
      assert.equal(everything(), before, mode.name);
      await second.close();
    }
  });

  it("writes nothing at all when there is nothing to do", async (context) => {
    const name = host(context);
    const dataplane = await opened(context, name);
    const plan = planOf(modes[0]!, { receive: ["ipip", "vxlan"], natOutgoing: true });
    await dataplane.apply(plan);
    await wait(300);
    let told = 0;
    dataplane.onDrift(() => told++);
    assert.equal((await dataplane.apply(plan)).changes, 0);
    await wait(300);
    assert.equal(told, 0);
  });

  it("reports what the kernel refuses in its words, and does the rest", async (context) => {
    const name = host(context);
    const dataplane = await opened(context, name);
    const plan = planOf(modes[1]!);
    const [first] = plan.routes;
    const unreachable = {
      ...plan.routes.at(-1)!,
      destination: {
        ...first!.destination,
        address: (Number(first!.destination.address) + 0x900) as never,
      },
      gateway: 0x0a090909 as never,
    };
    const actual = await dataplane.apply({
      ...plan,
      routes: [unreachable, ...plan.routes],
      addresses: [{ device: "nowhere0", prefix: first!.destination }],
      sysctls: [
        {
          path: "net/ipv4/conf/nowhere0/rp_filter",
          value: "2",
          onlyIfStrict: true,
          reason: "test",
        },
        { path: "net/../kernel/hostname", value: "x", reason: "test" },
        ...plan.sysctls,
      ],
      firewall: { ...plan.firewall, masqueradedPools: plan.firewall.pools, natPortRange: "x" },
    });
    assert.deepEqual(actual.failures, [
      {
        object: "sysctl net/../kernel/hostname",
        message: "write x to sysctl net/../kernel/hostname: not a path below /proc/sys",
      },
      {
        object: "address 10.244.1.0/26 dev nowhere0",
        message: "add address 10.244.1.0/26 dev nowhere0: device nowhere0 does not exist",
      },
      {
        object: "sysctl net/ipv4/conf/nowhere0/rp_filter",
        message:
          "write 2 to sysctl net/ipv4/conf/nowhere0/rp_filter: ENOENT: no such file or directory, open '/proc/sys/net/ipv4/conf/nowhere0/rp_filter'",
      },
      { object: "firewall", message: 'natPortRange "x" is no port range' },
      {
        object: "route 10.244.10.0/26",
        message:
          "route replace 10.244.10.0/26 via 10.9.9.9 dev eth0 proto bird: Network is unreachable (Nexthop has invalid gateway)",
      },
    ]);
    assert.deepEqual(routesOf(name), [...OWN, ...modes[1]!.routes].sort());
  });

  it("loosens strict reverse-path filters and leaves others", async (context) => {
    const name = host(context);
    const read = () =>
      lines(inside(name, "cd /proc/sys/net/ipv4/conf; cat eth0/rp_filter vxlan.calico/rp_filter"));
    const dataplane = await opened(context, name);
    const plan = planOf(modes[3]!);
    const set = (all: number, uplink: number) =>
      inside(
        name,
        `cd /proc/sys/net/ipv4/conf; echo ${all} >all/rp_filter; echo ${uplink} >eth0/rp_filter`,
      );
    set(0, 0);
    await dataplane.apply(plan);
    inside(name, "echo 0 >/proc/sys/net/ipv4/conf/vxlan.calico/rp_filter");
    await dataplane.apply(plan);
    assert.deepEqual(read(), ["0", "0"]);
    set(1, 0);
    await dataplane.apply(plan);
    assert.deepEqual(read(), ["2", "2"]);
    set(2, 1);
    await dataplane.apply(plan);
    assert.deepEqual(read(), ["1", "2"]);
  });

  for (const [what, command, mode = modes[4]!] of [
    ["tunl0 deleted", "ip link delete tunl0", modes[0]!],
    ["tunl0 set down", "ip link set tunl0 down", modes[0]!],
    ["a route replaced by hand", "ip route replace 10.244.2.0/26 via 172.139.20.99 proto bird"],
    ["the tunnel device deleted", "ip link delete vxlan.calico"],
    [
      "the uplink down and up",
      "ip link set eth0 down; ip link set eth0 up; ip route add default via 172.139.20.1",
    ],
    ["a neighbour deleted", "ip neigh delete 10.244.3.0 dev vxlan.calico"],
    ["a forwarding entry deleted", "bridge fdb delete 66:00:00:00:00:03 dev vxlan.calico self"],
    ["the tunnel's address deleted", "ip address delete 10.244.1.0/32 dev vxlan.calico"],
  ] as readonly (readonly [string, string, Mode?])[]) {
    it(`notices and repairs ${what}`, async (context) => {
      const name = host(context);
      const dataplane = await opened(context, name);
      const plan = planOf(mode);
      await dataplane.apply(plan);
      await wait(300);
      const before = inside(name, "ip route; ip neigh show nud permanent; ip -o -4 address");
      const startMs = performance.now();
      const told = new Promise<number>((resolve) => {
        dataplane.onDrift(() => resolve(performance.now() - startMs));
      });
      inside(name, command);
      const afterMs = await Promise.race([
        told,
        wait(3000, Number.POSITIVE_INFINITY, { ref: false }),
      ]);
      assert.ok(afterMs < 1000, `told after ${afterMs} ms`);
      const actual = await dataplane.apply(plan);
      assert.deepEqual(actual.failures, []);
      assert.ok(actual.changes > 0);
      const sorted = (text: string) => lines(text.replace(/^\d+: /gm, "")).sort();
      const after = inside(name, "ip route; ip neigh show nud permanent; ip -o -4 address");
      assert.deepEqual(sorted(after), sorted(before));
      await wait(300);
      assert.equal((await dataplane.apply(plan)).changes, 0);
    });
  }
});
