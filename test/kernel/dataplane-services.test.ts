/** Packets for service addresses that no service proxy has taken, between a node and the router that it told. */

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { prefix4 } from "../../src/lib/index.ts";
import type { UnservedPlan } from "../../src/plan/index.ts";
import { makeCluster } from "./dataplane-cluster.ts";
import { Mailbox } from "./dataplane-packets.ts";
import { inside, obstacleToKernelTests } from "./dataplane-support.ts";

const skip = obstacleToKernelTests();
const SERVICE = "10.96.0.9";
const PORT = 5000;

/** The router knows the services behind n1, and n1 everything else behind the router. */
async function start(context: TestContext, action: UnservedPlan["action"] | "nothing") {
  const cluster = await makeCluster(context);
  const { router, outside } = cluster;
  const [n1] = cluster.nodes;
  inside(router, `ip route add 10.96.0.0/12 via ${n1.sketch.address}`);
  inside(outside, `ip route add 10.96.0.0/12 via ${n1.sketch.address}`);
  inside(
    n1.namespace,
    // A redirect would use up what the kernel lets it say to one host in a second.
    `ip route replace default via 172.139.20.1
     for f in all eth0; do echo 0 >/proc/sys/net/ipv4/conf/$f/send_redirects; done`,
  );
  inside(
    n1.namespace,
    `nft -f - <<E
table ip watch {
  chain forward { type filter hook forward priority -10; policy accept; ip daddr 10.96.0.0/12 counter; }
}
E`,
  );
  const send = ({ name }: { name: string }) =>
    name === "n3" ? { via: "172.139.20.1" } : ("none" as const);
  const plan = cluster.plan(n1, { send, receive: [] });
  const cidrs = [prefix4("10.96.0.0/12")];
  const unserved = action === "nothing" ? {} : { unserved: { cidrs, action } };
  const actual = await n1.dataplane.apply({ ...plan, firewall: { ...plan.firewall, ...unserved } });
  assert.deepEqual(actual.failures, []);
  const client = Mailbox.open(context, outside);
  const forwarded = () => {
    const text = inside(n1.namespace, "nft list table ip watch");
    return Number(/counter packets (\d+)/.exec(text)?.[1]);
  };
  const refusals = () => {
    const text = inside(outside, "nstat -asz IcmpInDestUnreachs");
    return Number(/IcmpInDestUnreachs +(\d+)/.exec(text)?.[1]);
  };
  return { n1, client, forwarded, refusals };
}

describe("service addresses", skip === undefined ? {} : { skip }, () => {
  it("go round between node and router where nothing is done", async (context) => {
    const { client, forwarded } = await start(context, "nothing");
    client.send("lost", SERVICE, PORT);
    await client.receive("never", 300);
    assert.ok(forwarded() > 10, `${forwarded()} times`);
  });

  it("end here, without a word", async (context) => {
    const { client, forwarded, refusals } = await start(context, "drop");
    client.send("lost", SERVICE, PORT);
    await client.receive("never", 300);
    assert.deepEqual([forwarded(), refusals()], [1, 0]);
  });

  it("are refused where that is asked for", async (context) => {
    const { client, forwarded, refusals } = await start(context, "reject");
    client.send("lost", SERVICE, PORT);
    await client.receive("never", 300);
    assert.deepEqual([forwarded(), refusals()], [1, 1]);
  });

  it("reach a pod where a service proxy has taken them", async (context) => {
    const { client, n1 } = await start(context, "drop");
    inside(
      n1.namespace,
      `nft -f - <<E
table ip proxy {
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr ${SERVICE} udp dport ${PORT} dnat to ${n1.podAddress}:${PORT}
  }
}
E`,
    );
    const pod = Mailbox.open(context, n1.pod, { port: PORT });
    client.send("served", SERVICE, PORT);
    assert.ok(await pod.receive("served"));
  });
});
