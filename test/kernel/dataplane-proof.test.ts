/** The proof's table on real kernels: its packets go the new way, everything else goes as before. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import { ipv4, prefix4 } from "../../src/lib/index.ts";
import { namespacePath } from "../../src/lib/sys/index.ts";
import {
  GUARD_PORT,
  type NodePlan,
  PROOF_PORT,
  PROOF_RULE_PRIORITY,
  PROOF_TABLE,
} from "../../src/plan/index.ts";
import { type ClusterNode, makeCluster } from "./dataplane-cluster.ts";
import { inside, obstacleToKernelTests } from "./dataplane-support.ts";

const skip = obstacleToKernelTests();

const probeOf = (node: ClusterNode) => node.sketch.block.replace("0/26", "9");

/** What a node's plan has beside the rest while IP-in-IP is proved to `partners`. */
function proving(node: ClusterNode, partners: readonly ClusterNode[]): Partial<NodePlan> {
  const source = prefix4(`${probeOf(node)}/32`);
  const common = { scope: "global", protocol: 80, reason: "test" } as const;
  return {
    addresses: [
      { device: "tunl0", prefix: prefix4(`${node.sketch.tunnelAddress}/32`) },
      { device: "lo", prefix: source, protocol: 80 },
    ],
    proof: {
      table: PROOF_TABLE,
      rules: [
        ...(["source", "destination"] as const).map((end) => ({
          ...{ priority: PROOF_RULE_PRIORITY, source, ipProtocol: 17, end },
          ...{ port: PROOF_PORT, table: PROOF_TABLE },
        })),
        { priority: PROOF_RULE_PRIORITY, source, ipProtocol: 6, table: PROOF_TABLE },
      ],
      routes: [
        { ...common, kind: "unreachable", destination: prefix4("0.0.0.0/0") },
        ...partners.map((partner) => ({
          ...common,
          kind: "unicast" as const,
          destination: prefix4(`${probeOf(partner)}/32`),
          gateway: ipv4(partner.sketch.address),
          device: "tunl0",
          onlink: true,
        })),
      ],
    },
  };
}

/** Answers every UDP packet, from the address and port it came to. */
const ECHO = `const [address, port] = process.argv.slice(1);
const socket = require("node:dgram").createSocket("udp4");
socket.on("message", (data, from) => socket.send(data, from.port, from.address));
socket.bind(Number(port), address, () => console.log("ready"));`;

/** Prints what came back, or "none". */
const ASK = `const [address, port, to] = process.argv.slice(1);
const socket = require("node:dgram").createSocket("udp4");
socket.on("message", (data) => { console.log(String(data)); process.exit(); });
socket.bind(0, address, () => socket.send("hello", Number(port), to, (error) => {
  if (error) { console.log(error.code); process.exit(); }
}));
setTimeout(() => { console.log("none"); process.exit(); }, 1500);`;

async function echo(context: TestContext, node: ClusterNode, port: number): Promise<void> {
  const args = [process.execPath, "-e", ECHO, probeOf(node), String(port)];
  const child: ChildProcess = spawn(
    "nsenter",
    [`--net=${namespacePath(node.namespace)}`, ...args],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  context.after(() => void child.kill("SIGKILL"));
  await once(child.stdout!, "data");
}

const ask = (from: ClusterNode, port: number, to: ClusterNode) =>
  inside(
    from.namespace,
    `${process.execPath} -e '${ASK}' ${probeOf(from)} ${port} ${probeOf(to)}`,
  ).trim();

/** Counts what the wire between two nodes of one subnet carries. */
function count(router: string): () => { readonly ipip: number; readonly plain: number } {
  inside(
    router,
    `nft add table bridge count
     nft add counter bridge count ipip
     nft add counter bridge count plain
     nft 'add chain bridge count forward { type filter hook forward priority 0; }'
     nft add rule bridge count forward ip protocol 4 counter name ipip
     nft add rule bridge count forward ip protocol udp counter name plain`,
  );
  return () => {
    const text = inside(router, "nft list counters table bridge count");
    const of = (name: string) =>
      Number(new RegExp(`counter ${name} \\{\\s*packets (\\d+)`).exec(text)?.[1]);
    return { ipip: of("ipip"), plain: of("plain") };
  };
}

describe("proof", skip === undefined ? {} : { skip }, () => {
  it("sends proof packets in the new encapsulation, live probes and pods as before", async (context) => {
    const cluster = await makeCluster(context);
    const [n1, n2, n3] = cluster.nodes;
    const send = (local: ClusterNode) => (remote: { readonly address: string }) => {
      const subnet = (address: string) => address.split(".").slice(0, 3).join(".");
      const own = subnet(local.sketch.address);
      return own === subnet(remote.address) ? ("none" as const) : { via: `${own}.1` };
    };
    for (const node of cluster.nodes) {
      // As on hosts that filter strictly: the plan loosens where packets come by another way.
      inside(node.namespace, "echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter");
      const plan = { send: send(node), receive: ["ipip"], natOutgoing: true } as const;
      await node.dataplane.apply(cluster.plan(node, plan));
      const before = inside(node.namespace, "ip route");
      // n3 is no partner of n1's yet.
      const partners = cluster.nodes.filter((one) => one !== node && one !== (node === n1 && n3));
      const change = proving(node, partners);
      const base = cluster.plan(node, plan);
      const firewall = { ...base.firewall, probeAddress: ipv4(probeOf(node)) };
      const actual = await node.dataplane.apply({ ...base, ...change, firewall });
      assert.deepEqual(actual.failures, []);
      assert.equal(inside(node.namespace, "ip route"), before, "no workload route is touched");
    }
    for (const port of [PROOF_PORT, GUARD_PORT]) await echo(context, n2, port);
    const carried = count(cluster.router);
    assert.equal(ask(n1, PROOF_PORT, n2), "hello");
    assert.deepEqual(carried(), { ipip: 2, plain: 0 }, "the answer, too");
    assert.equal(ask(n1, GUARD_PORT, n2), "hello");
    assert.deepEqual(carried(), { ipip: 2, plain: 2 }, "live probes go by the workload route");
    assert.match(ask(n1, PROOF_PORT, n3), /^E(HOST|NET)UNREACH$/, "never the old way by mistake");
    for (const node of cluster.nodes) {
      const plan = { send: send(node), receive: [], natOutgoing: true } as const;
      const actual = await node.dataplane.apply(cluster.plan(node, plan));
      assert.deepEqual(actual.failures, []);
      const left = inside(
        node.namespace,
        "ip rule; ip route show table all; ip address show dev lo",
      );
      assert.doesNotMatch(left, /17900|10\.244\.\d\.9/);
      assert.match(left, /127\.0\.0\.1\/8/);
    }
  });
});
