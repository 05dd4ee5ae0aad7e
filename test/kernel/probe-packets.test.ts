/** Probe packets between real sockets: who is answered, who is not, and what a refusal is called. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { sleep, systemClock } from "../../src/lib/index.ts";
import { closeFd, openUdpSocket, receiveFd, sendFd } from "../../src/lib/sys/index.ts";
import {
  encodePacket,
  PROBE_HEADER_BYTES,
  ProbeAsker,
  ProbeEndpoint,
  type ProbePacket,
  probeIdentity,
} from "../../src/probe/index.ts";
import { sh } from "./ipip-namespaces.ts";
import { type ProbeHost, probeNetwork } from "./probe-network.ts";

const clock = systemClock;
const PORT = 17900;
const key = new Uint8Array(32).fill(5);
const change = probeIdentity("change-1");

async function endpointAt(t: TestContext, host: ProbeHost) {
  const heard: ProbePacket[] = [];
  const endpoint = await ProbeEndpoint.open({
    address: host.probe,
    port: PORT,
    namespace: host.path,
    self: probeIdentity(host.name),
    keyOf: (of) => (of === change ? key : undefined),
    heard: (packet) => heard.push(packet),
  });
  t.after(() => endpoint.close());
  return heard;
}

async function askerFrom(t: TestContext, from: ProbeHost, to: ProbeHost) {
  const asker = await ProbeAsker.open({
    address: from.probe,
    peer: { address: to.probe, port: PORT },
    namespace: from.path,
    self: probeIdentity(from.name),
    partner: probeIdentity(to.name),
    change,
    key,
    clock,
  });
  t.after(() => asker.close());
  return asker;
}

test("a request is answered, a first packet is only heard", async (t) => {
  const [a, b] = probeNetwork(t, { hosts: 2 }).hosts as [ProbeHost, ProbeHost];
  const heard = await endpointAt(t, b);
  const asker = await askerFrom(t, a, b);
  assert.equal(await asker.tell(), undefined);
  const answer = await asker.ask({ withinMs: 2000 });
  assert.equal(answer.kind, "answered");
  assert.deepEqual(
    heard.map(({ kind, sender }) => [kind, sender]),
    [
      ["first", probeIdentity(a.name)],
      ["request", probeIdentity(a.name)],
    ],
  );
});

test("what is larger than the device is refused, what the path does not carry is lost", async (t) => {
  const { hosts, router } = probeNetwork(t, { hosts: 2 });
  const [a, b] = hosts as [ProbeHost, ProbeHost];
  await endpointAt(t, b);
  const asker = await askerFrom(t, a, b);
  const ofPacket = (packetBytes: number) => asker.ask({ bytes: packetBytes - 28, withinMs: 500 });
  assert.equal((await ofPacket(1500)).kind, "answered");
  const refused = await ofPacket(1501);
  assert.ok(refused.kind === "refused" && refused.tooLarge, refused.kind);
  // Without the word of ICMP, as behind so many firewalls.
  sh(`ip -n ${router} link set p1 mtu 1400
      nsenter --net=/run/netns/${router} sysctl -qw net.ipv4.icmp_ratemask=0`);
  sh(`nsenter --net=/run/netns/${router} nft add table ip f
      nsenter --net=/run/netns/${router} nft 'add chain ip f c { type filter hook output priority 0; policy drop; }'`);
  assert.equal((await ofPacket(1401)).kind, "lost");
  assert.equal((await ofPacket(1400)).kind, "answered");
});

test("replayed, foreign, misdirected and bent packets get nothing, and are not heard", async (t) => {
  const [a, b] = probeNetwork(t, { hosts: 2 }).hosts as [ProbeHost, ProbeHost];
  const heard = await endpointAt(t, b);
  const fd = openUdpSocket({
    namespace: a.path,
    address: a.probe,
    peer: { address: b.probe, port: PORT },
  });
  t.after(() => closeFd(fd));
  const packet: ProbePacket = {
    kind: "request",
    change,
    sender: probeIdentity(a.name),
    receiver: probeIdentity(b.name),
    session: "0000000000000001",
    sequence: 0,
    value: 1,
  };
  const answers = async (bytes: Uint8Array) => {
    sendFd(fd, bytes);
    await sleep(clock, 100);
    const buffer = new Uint8Array(4096);
    return receiveFd(fd, buffer);
  };
  // Large questions get small answers.
  const good = encodePacket(packet, key, 1400);
  assert.equal(await answers(good), PROBE_HEADER_BYTES);
  assert.equal(await answers(good), undefined);
  const later = { ...packet, sequence: 1 };
  assert.equal(await answers(encodePacket(later, new Uint8Array(32))), undefined);
  assert.equal(
    await answers(encodePacket({ ...later, receiver: probeIdentity("host-z") }, key)),
    undefined,
  );
  assert.equal(
    await answers(encodePacket({ ...later, change: probeIdentity("change-2") }, key)),
    undefined,
  );
  assert.equal(await answers(encodePacket({ ...later, kind: "reply" }, key)), undefined);
  assert.equal(heard.length, 1);
  assert.equal(await answers(encodePacket(later, key)), PROBE_HEADER_BYTES);
});

test("a closed port says so at once, and a silent path after the time that was given", async (t) => {
  const { hosts, router, inside } = probeNetwork(t, { hosts: 2 });
  const [a, b] = hosts as [ProbeHost, ProbeHost];
  const asker = await askerFrom(t, a, b);
  const refused = await asker.ask({ withinMs: 2000 });
  assert.ok(refused.kind === "refused" && !refused.tooLarge);
  assert.match(refused.error, /ECONNREFUSED/);
  inside(
    router,
    "nft add table ip f; nft add chain ip f c { type filter hook forward priority 0\\; policy drop\\; }",
  );
  assert.equal((await asker.ask({ withinMs: 200 })).kind, "lost");
});
