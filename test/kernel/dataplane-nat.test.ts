/** Address translation and allow-lists, by what becomes of packets. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ipv4, prefix4 } from "../../src/lib/index.ts";
import type { FirewallPlan } from "../../src/plan/index.ts";
import { type Cluster, type ClusterNode, makeCluster, OUTSIDE } from "./dataplane-cluster.ts";
import { Mailbox } from "./dataplane-packets.ts";
import { inside, obstacleToKernelTests } from "./dataplane-support.ts";

const skip = obstacleToKernelTests();
const PORT = 5000;

/** Everything plain, with natOutgoing unless the change says otherwise. */
async function applyPlain(
  cluster: Cluster,
  node: ClusterNode,
  firewall: Partial<FirewallPlan> = {},
) {
  const send = ({ name }: { name: string }) =>
    name === "n3" ? { via: "172.139.20.1" } : ("none" as const);
  const plan = cluster.plan(node, { send, receive: [], natOutgoing: true });
  const actual = await node.dataplane.apply({
    ...plan,
    firewall: { ...plan.firewall, ...firewall },
  });
  assert.deepEqual(actual.failures, []);
  return actual;
}

describe("natOutgoing", skip === undefined ? {} : { skip }, () => {
  it("gives pods their node's address outside, and their own among pods", async (context) => {
    const cluster = await makeCluster(context);
    const [n1, n2] = cluster.nodes;
    await applyPlain(cluster, n1);
    await applyPlain(cluster, n2);
    const pod = Mailbox.open(context, n1.pod);
    const outside = Mailbox.open(context, cluster.outside, { port: PORT });
    pod.send("out", OUTSIDE, PORT);
    assert.equal((await outside.receive("out"))?.source, n1.sketch.address);
    const other = Mailbox.open(context, n2.pod, { port: PORT });
    pod.send("pod", n2.podAddress, PORT);
    assert.equal((await other.receive("pod"))?.source, n1.podAddress);
    const host = Mailbox.open(context, n2.namespace, { port: PORT });
    pod.send("host", n2.sketch.address, PORT);
    assert.equal((await host.receive("host"))?.source, n1.sketch.address);
  });

  it("leaves hosts out where told, uses the address and the ports told, or nothing", async (context) => {
    const cluster = await makeCluster(context);
    const [n1, n2] = cluster.nodes;
    // The answers' way: hosts reach the pods of n1 by their own address.
    for (const name of [cluster.outside, n2.namespace]) {
      inside(name, `ip route add ${n1.sketch.block} via ${n1.sketch.address}`);
    }
    const outside = Mailbox.open(context, cluster.outside, { port: PORT });
    const host = Mailbox.open(context, n2.namespace, { port: PORT });
    const send = async (text: string) => {
      const pod = Mailbox.open(context, n1.pod);
      pod.send(text, OUTSIDE, PORT);
      pod.send(text, n2.sketch.address, PORT);
      return [await outside.receive(text), await host.receive(text)] as const;
    };
    await applyPlain(cluster, n1, { excludedHosts: [ipv4(n2.sketch.address)] });
    assert.deepEqual(
      (await send("excluded")).map((datagram) => datagram?.source),
      [n1.sketch.address, n1.podAddress],
    );
    await applyPlain(cluster, n1, {
      natOutgoingAddress: ipv4("172.139.20.250"),
      natPortRange: "40000:40009",
    });
    for (const datagram of await send("snat")) {
      assert.equal(datagram?.source, "172.139.20.250");
      assert.ok(datagram.port >= 40000 && datagram.port <= 40009, `port ${datagram.port}`);
    }
    await applyPlain(cluster, n1, { masqueradedPools: [] });
    assert.deepEqual(
      (await send("none")).map((datagram) => datagram?.source),
      [n1.podAddress, n1.podAddress],
    );
  });

  it("keeps the translation of a flow when the rules are written again", async (context) => {
    const cluster = await makeCluster(context);
    const [n1] = cluster.nodes;
    await applyPlain(cluster, n1);
    const pod = Mailbox.open(context, n1.pod, { port: 6000 });
    const outside = Mailbox.open(context, cluster.outside, { port: PORT });
    pod.send("before", OUTSIDE, PORT);
    const before = await outside.receive("before");
    for (const pool of ["10.9.0.0/24", "10.8.0.0/24"]) {
      const pools = [prefix4("10.244.0.0/16"), prefix4(pool)];
      assert.equal((await applyPlain(cluster, n1, { pools, masqueradedPools: pools })).changes, 1);
      pod.send(pool, OUTSIDE, PORT);
      const after = await outside.receive(pool);
      assert.deepEqual([after?.source, after?.port], [before?.source, before?.port]);
    }
    outside.send("answer", before!.source, before!.port);
    assert.equal((await pod.receive("answer"))?.source, OUTSIDE);
  });
});

/** Counts what our input filter let through, in a table of somebody else. */
function watchInput(name: string): (what: "ipip" | "vxlan") => number {
  inside(
    name,
    `nft -f - <<E
table ip watch {
  chain input {
    type filter hook input priority 10; policy accept;
    ip protocol 4 counter comment "ipip"
    udp dport 4789 counter comment "vxlan"
  }
}
E`,
  );
  return (what) => {
    const text = inside(name, "nft list table ip watch");
    return Number(
      new RegExp(`counter packets (\\d+) bytes \\d+ comment "${what}"`).exec(text)?.[1],
    );
  };
}

describe("allow-lists", skip === undefined ? {} : { skip }, () => {
  it("drop VXLAN from whoever is no node", async (context) => {
    const cluster = await makeCluster(context);
    const [n1, n2] = cluster.nodes;
    const send = () => "vxlan" as const;
    for (const node of cluster.nodes) {
      await node.dataplane.apply(cluster.plan(node, { send, receive: ["vxlan"] }));
    }
    const passed = watchInput(n1.namespace);
    const stranger = Mailbox.open(context, cluster.outside);
    stranger.send("spoof", n1.sketch.address, 4789);
    const pod = Mailbox.open(context, n1.pod, { port: PORT });
    const known = Mailbox.open(context, n2.pod);
    known.send("known", n1.podAddress, PORT);
    assert.ok(await pod.receive("known"));
    assert.equal(passed("vxlan"), 1);
  });

  it("drop protocol 4 from whoever is no node", async (context) => {
    const cluster = await makeCluster(context);
    const [n1, n2, n3] = cluster.nodes;
    // No tunnel on n1, whose BPF would drop before nftables could: only the rules.
    const senders = { ipipSenders: [prefix4(`${n2.sketch.address}/32`)] };
    await applyPlain(cluster, n1, senders);
    const passed = watchInput(n1.namespace);
    for (const node of [n2, n3]) {
      const plan = cluster.plan(node, { send: () => "ipip", receive: ["ipip"] });
      assert.deepEqual((await node.dataplane.apply(plan)).failures, []);
    }
    const host = Mailbox.open(context, n1.namespace, { port: PORT });
    const arrive = async (node: ClusterNode) => {
      const before = passed("ipip");
      const pod = Mailbox.open(context, node.pod);
      for (let i = 0; i < 3; i++) pod.send(`${i}`, n1.podAddress, PORT);
      // Something that surely arrives, sent after it on the same way.
      const direct = Mailbox.open(context, node.namespace);
      direct.send(node.sketch.name, n1.sketch.address, PORT);
      assert.ok(await host.receive(node.sketch.name));
      return passed("ipip") - before;
    };
    assert.equal(await arrive(n2), 3);
    assert.equal(await arrive(n3), 0);
  });

  it("keep pods from speaking the nodes' tunnel protocols", async (context) => {
    const cluster = await makeCluster(context);
    const [n1, n2] = cluster.nodes;
    await applyPlain(cluster, n1);
    await applyPlain(cluster, n2);
    const passed = watchInput(n2.namespace);
    const pod = Mailbox.open(context, n1.pod);
    const host = Mailbox.open(context, n2.namespace, { port: PORT });
    pod.send("tunnel", n2.sketch.address, 4789);
    pod.send("plain", n2.sketch.address, PORT);
    assert.ok(await host.receive("plain"));
    assert.equal(passed("vxlan"), 0);
  });
});

describe("the host itself", skip === undefined ? {} : { skip }, () => {
  for (const tunnel of ["ipip", "vxlan"] as const) {
    it(`reaches pods through ${tunnel} by its tunnel address, whatever its socket's`, async (context) => {
      const cluster = await makeCluster(context);
      const [n1, n2] = cluster.nodes;
      for (const node of cluster.nodes) {
        await node.dataplane.apply(cluster.plan(node, { send: () => tunnel, receive: [tunnel] }));
      }
      const pod = Mailbox.open(context, n2.pod, { port: PORT });
      for (const address of [undefined, n1.sketch.address]) {
        const text = `from ${address}`;
        const host = Mailbox.open(context, n1.namespace, address === undefined ? {} : { address });
        host.send(text, n2.podAddress, PORT);
        const seen = await pod.receive(text);
        assert.equal(seen?.source, n1.sketch.tunnelAddress, text);
        pod.send(`answer ${text}`, seen.source, seen.port);
        assert.ok(await host.receive(`answer ${text}`), text);
      }
    });
  }
});
