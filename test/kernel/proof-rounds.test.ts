/** The rounds of the proof over real sockets and a router that can be bad: each fault leaves its own traces. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { systemClock } from "../../src/lib/index.ts";
import type { ProofResult } from "../../src/model/index.ts";
import {
  BulkServer,
  ProbeEndpoint,
  probeIdentity,
  runFirstRound,
  runFullRound,
} from "../../src/probe/index.ts";
import { sh } from "./ipip-namespaces.ts";
import { type ProbeHost, type ProbeNetwork, probeNetwork } from "./probe-network.ts";

const clock = systemClock;
const port = 17900;
const change = "change-1";
const key = new Uint8Array(32).fill(9);
const keyOf = (of: string) => (of === probeIdentity(change) ? key : undefined);

/** Every host answers; by receiver, the kinds of packets that it heard of each sender. */
async function answering(t: TestContext, { hosts }: ProbeNetwork) {
  const heard = new Map<string, Set<string>>();
  const names = new Map(hosts.map(({ name }) => [probeIdentity(name), name]));
  for (const { name, probe, path } of hosts) {
    const kinds = new Set<string>();
    heard.set(name, kinds);
    const common = {
      ...{ address: probe, port, keyOf, clock },
      namespace: path,
      self: probeIdentity(name),
    };
    const endpoint = await ProbeEndpoint.open({
      ...common,
      heard: ({ kind, sender }) => kinds.add(`${kind} ${names.get(sender)}`),
    });
    const bulk = await BulkServer.open(common);
    t.after(() => {
      endpoint.close();
      bulk.close();
    });
  }
  return heard;
}

async function prove(
  round: typeof runFirstRound,
  from: ProbeHost,
  to: ProbeHost,
  { packetBytes, first }: { packetBytes: number; first: boolean },
): Promise<ProofResult | undefined> {
  const results: ProofResult[] = [];
  await round({
    ...{ node: from.name, address: from.probe, port, namespace: from.path, change, key, clock },
    partners: [{ node: to.name, address: to.probe, encapsulation: "none", first, packetBytes }],
    signal: new AbortController().signal,
    report: (result) => results.push(result),
  });
  assert.ok(results.length <= 1);
  return results[0];
}

/** The full round from the first host to the second. */
async function full(t: TestContext, network: ProbeNetwork, packetBytes = 1500) {
  await answering(t, network);
  const [from, to] = network.hosts as [ProbeHost, ProbeHost];
  const result = await prove(runFullRound, from, to, { packetBytes, first: false });
  assert.ok(result);
  return result;
}

const rule = ({ router, inside }: ProbeNetwork, text: string) => {
  inside(
    router,
    `nft "add table ip f; add chain ip f c { type filter hook forward priority 0; }; add rule ip f c ${text}"`,
  );
};

for (const [encapsulation, packetBytes] of [
  ["plain", 1500],
  ["vxlan", 1450],
] as const) {
  test(`a good path shows all that was asked: ${encapsulation}`, async (t) => {
    const network = probeNetwork(t, { hosts: 2, encapsulation });
    const { error, both, full: size, tcp, loss } = await full(t, network, packetBytes);
    assert.equal(error, undefined);
    assert.deepEqual(both, { sent: 5, received: 5 });
    assert.deepEqual(size, { bytes: packetBytes, arrived: true, oneMore: "refused" });
    assert.equal(tcp?.completed, true);
    assert.equal(tcp?.bytes, 1 << 20);
    assert.deepEqual([loss?.sent, loss?.received], [1000, 1000]);
    assert.ok((loss?.rttP50Us ?? 0) > 0 && (loss?.rttP99Us ?? 0) >= (loss?.rttP50Us ?? 0));
  });
}

test("the first round goes one way, from those who are first, and is heard there", async (t) => {
  const network = probeNetwork(t, { hosts: 2 });
  const heard = await answering(t, network);
  const [a, b] = network.hosts as [ProbeHost, ProbeHost];
  const back = sh(`ip -n ${a.namespace} -s -j link show eth0`);
  const result = await prove(runFirstRound, a, b, { packetBytes: 1500, first: true });
  assert.deepEqual(result, { node: b.name, encapsulation: "none", first: { sent: 3 } });
  assert.equal(await prove(runFirstRound, b, a, { packetBytes: 1500, first: false }), undefined);
  assert.deepEqual([...(heard.get(b.name) ?? [])], [`first ${a.name}`]);
  assert.deepEqual([...(heard.get(a.name) ?? [])], []);
  const received = (text: string) => JSON.parse(text)[0].stats64.rx.packets as number;
  const after = sh(`ip -n ${a.namespace} -s -j link show eth0`);
  // Neighbour discovery apart, nothing came back.
  assert.ok(received(after) - received(back) <= 4, "no answers");
});

test("a filter that lets only replies pass is seen by the first round alone", async (t) => {
  const network = probeNetwork(t, { hosts: 2, encapsulation: "vxlan" });
  const heard = await answering(t, network);
  // What the generic tracking of protocol 4 does to both ways, done here to the way from the second host.
  rule(network, "ip saddr 172.31.1.2 ct state new drop");
  const [a, b] = network.hosts as [ProbeHost, ProbeHost];
  const result = await prove(runFirstRound, b, a, { packetBytes: 1450, first: true });
  assert.deepEqual(result?.first, { sent: 3 });
  assert.deepEqual([...(heard.get(a.name) ?? [])], []);
});

test("a smaller MTU on the way: how large packets pass, exactly", async (t) => {
  const network = probeNetwork(t, { hosts: 2 });
  sh(`ip -n ${network.router} link set p1 mtu 1430`);
  // The router's word does not come back.
  network.inside(
    network.router,
    'nft "add table ip f; add chain ip f o { type filter hook output priority 0; policy drop; }"',
  );
  const { full: size } = await full(t, network);
  assert.deepEqual(size, { bytes: 1500, arrived: false, oneMore: "refused", largest: 1430 });
});

test("dropped TCP: neither connections nor segments of our own pass", async (t) => {
  const network = probeNetwork(t, { hosts: 2 });
  rule(network, "ip protocol tcp drop");
  const { both, tcp, loss } = await full(t, network);
  assert.equal(both?.received, 5);
  assert.equal(tcp?.completed, false);
  assert.deepEqual(tcp?.software, { sent: 16, received: 0 });
  assert.equal(loss?.received, 1000);
});

test("checksums left to a device that spoils them: segments of our own pass", async (t) => {
  const network = probeNetwork(t, { hosts: 2 });
  spoilOffloaded(network, "p0");
  const { tcp } = await full(t, network);
  assert.equal(tcp?.completed, false);
  assert.deepEqual(tcp?.software, { sent: 16, received: 16 });
});

test("everything dropped: said soon, and nothing else is tried", async (t) => {
  const network = probeNetwork(t, { hosts: 2 });
  rule(network, "drop");
  const { node: _, encapsulation: __, ...result } = await full(t, network);
  assert.deepEqual(result, { both: { sent: 5, received: 0 } });
});

test("a prohibition on the way, and a kernel without a route, are told in words", async (t) => {
  const network = probeNetwork(t, { hosts: 2 });
  rule(network, "reject with icmp type admin-prohibited");
  assert.match((await full(t, network)).error ?? "", /EHOSTUNREACH/);
  const [a, b] = network.hosts as [ProbeHost, ProbeHost];
  sh(`ip -n ${a.namespace} route add unreachable ${b.probeText}/32`);
  const result = await prove(runFirstRound, a, b, { packetBytes: 1500, first: true });
  assert.match(result?.error ?? "", /EHOSTUNREACH|ENETUNREACH/);
});

test("one packet in a hundred lost is counted", async (t) => {
  const network = probeNetwork(t, { hosts: 2 });
  rule(network, "ip protocol udp ip length 96 numgen inc mod 100 0 drop");
  const { loss } = await full(t, network);
  assert.equal(loss?.sent, 1000);
  const lost = 1000 - (loss?.received ?? 0);
  // Questions and answers go the same way here: two in a hundred.
  assert.ok(lost >= 15 && lost <= 25, `${lost} lost`);
});

/**
 * Drops TCP over IPv4 whose checksum field holds the sum of the pseudo header alone: what a host leaves there for
 * its device to complete, here never completed, as by a device that cannot do it inside a tunnel.
 */
function spoilOffloaded({ router, inside }: ProbeNetwork, device: string): void {
  const [LDH, LDB, ST, LDX_MEM, ADD_X] = [0x28, 0x30, 0x02, 0x61, 0x0c];
  const [JEQ_K, JEQ_X, RET, AND_K, RSH_K] = [0x15, 0x1d, 0x06, 0x54, 0x74];
  const [LD_MEM, TAX, ADD_K, SUB_K] = [0x60, 0x07, 0x04, 0x14];
  const [TC_ACT_OK, TC_ACT_SHOT] = [0, 2];
  const add = (offset: number) => [
    [LDH, 0, 0, offset],
    [LDX_MEM, 0, 0, 0],
    [ADD_X, 0, 0, 0],
    [ST, 0, 0, 0],
  ];
  const fold = [
    [LD_MEM, 0, 0, 0],
    [RSH_K, 0, 0, 16],
    [TAX, 0, 0, 0],
    [LD_MEM, 0, 0, 0],
    [AND_K, 0, 0, 0xffff],
    [ADD_X, 0, 0, 0],
    [ST, 0, 0, 0],
  ];
  // Addresses, length of the segment (total length less 20), protocol 6.
  const sum = [
    [LDH, 0, 0, 16],
    [ADD_K, 0, 0, 6],
    [SUB_K, 0, 0, 20],
    [ST, 0, 0, 0],
    ...[26, 28, 30, 32].flatMap(add),
    ...fold,
    ...fold,
  ];
  const tail = [
    [TAX, 0, 0, 0],
    [LDH, 0, 0, 50],
    [JEQ_X, 0, 1, 0],
    [RET, 0, 0, TC_ACT_SHOT],
    [RET, 0, 0, TC_ACT_OK],
  ];
  const body = [...sum, ...tail];
  const toEnd = (from: number) => body.length - 1 - from;
  const program = [
    [LDH, 0, 0, 12],
    [JEQ_K, 0, toEnd(-2), 0x0800],
    [LDB, 0, 0, 23],
    [JEQ_K, 0, toEnd(0), 6],
    ...body,
  ];
  const text = `${program.length},${program.map((one) => one.join(" ")).join(",")}`;
  inside(
    router,
    `tc qdisc add dev ${device} clsact; tc filter add dev ${device} ingress bpf direct-action bytecode "${text}"`,
  );
}
