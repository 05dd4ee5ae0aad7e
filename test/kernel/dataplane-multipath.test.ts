/** Routes over several next hops, as BGP with equal paths teaches them, in both families. */

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { ipAddress, prefix } from "../../src/lib/index.ts";
import { type NodePlan, plan } from "../../src/plan/index.ts";
import { dualStackSnapshot, pool6Fact, poolFact } from "../../src/plan/testing/snapshot.ts";
import { inside, Namespaces, obstacleToKernelTests, openIn } from "./dataplane-support.ts";

const skip = obstacleToKernelTests();

const NETWORK = "198.51.100.0/24";
const NETWORK6 = "2001:db8:99::/48";

/** The next hops are routers .2 to .4 of the node's subnet. */
function planOver(...last: readonly number[]): NodePlan {
  const learned = (network: string, base: string) => {
    if (last.length === 0) return [];
    const nextHops = last.map((each) => ipAddress(`${base}${each}`));
    return [{ prefix: prefix(network), nextHop: nextHops[0]!, nextHops }];
  };
  return plan(
    dualStackSnapshot({
      pools: [poolFact({ ipipMode: "Never" }), pool6Fact()],
      learned: [...learned(NETWORK, "172.139.20."), ...learned(NETWORK6, "2001:db8:20::")],
    }),
  );
}

function host(context: TestContext): string {
  const namespaces = new Namespaces();
  context.after(() => namespaces.close());
  const name = namespaces.make("multi");
  inside(
    name,
    `ip link add eth0 type veth peer name far0; ip link set far0 up; ip link set eth0 up
     ip link add cali0123456789a type veth peer name pod0; ip link set pod0 up; ip link set cali0123456789a up
     ip address add 172.139.20.75/24 dev eth0; ip route add default via 172.139.20.1
     ip address add 2001:db8:20::75/64 dev eth0 nodad; ip -6 route add default via 2001:db8:20::1`,
  );
  return name;
}

/** What the kernel says of both networks: the last numbers of the gateways. */
function hops(name: string): [readonly string[], readonly string[]] {
  const of = (command: string) =>
    [...inside(name, command).matchAll(/via (\S+)/g)].map(([, via = ""]) => /\w+$/.exec(via)![0]);
  return [of(`ip route show ${NETWORK}`), of(`ip -6 route show ${NETWORK6}`)];
}

async function opened(context: TestContext, name: string) {
  const dataplane = await openIn(name);
  context.after(() => dataplane.close());
  return dataplane;
}

describe("routes over several next hops", skip === undefined ? {} : { skip }, () => {
  it("are written, changed in place, and taken away, and are nothing to do a second time", async (context) => {
    const name = host(context);
    const dataplane = await opened(context, name);
    for (const over of [[2, 3], [3, 2], [2, 3, 4], [4], [3, 4], [2], []]) {
      const wanted = planOver(...over);
      const actual = await dataplane.apply(wanted);
      assert.deepEqual(actual.failures, [], `over ${over}`);
      const sorted = over.toSorted().map(String);
      assert.deepEqual(hops(name), [sorted, sorted], `over ${over}`);
      assert.equal((await dataplane.apply(wanted)).changes, 0, `over ${over}, applied again`);
      assert.deepEqual((await dataplane.compare(wanted)).differences, [], `over ${over}`);
    }
  });

  it("are known again after a restart, in whatever order somebody wrote them", async (context) => {
    const name = host(context);
    const first = await openIn(name);
    await first.apply(planOver(2, 3));
    first.close();
    const way = (via: string) => `nexthop via ${via} dev eth0`;
    inside(
      name,
      `ip route replace ${NETWORK} proto bird ${way("172.139.20.3")} ${way("172.139.20.2")}`,
    );
    const second = await opened(context, name);
    const actual = await second.apply(planOver(2, 3));
    assert.deepEqual([actual.failures, actual.changes], [[], 0]);
  });

  it("are repaired when somebody takes one away, and leave those of others alone", async (context) => {
    const name = host(context);
    const foreign =
      "203.0.113.0/24 proto static nexthop via 172.139.20.8 dev eth0 nexthop via 172.139.20.9 dev eth0";
    inside(name, `ip route add ${foreign}`);
    const dataplane = await opened(context, name);
    await dataplane.apply(planOver(2, 3));
    inside(
      name,
      `ip route replace ${NETWORK} proto bird via 172.139.20.2; ip -6 route delete ${NETWORK6} via 2001:db8:20::3`,
    );
    const actual = await dataplane.apply(planOver(2, 3));
    assert.deepEqual(actual.failures, []);
    assert.deepEqual(hops(name), [
      ["2", "3"],
      ["2", "3"],
    ]);
    await dataplane.apply(planOver());
    assert.match(inside(name, "ip route show 203.0.113.0/24"), /172\.139\.20\.9/);
  });
});
