/** Who is served by the TCP end of the proof, over real sockets. */

import assert from "node:assert/strict";
import { Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { sleep, systemClock } from "../../src/lib/index.ts";
import { startConnectTcp } from "../../src/lib/sys/index.ts";
import {
  BulkServer,
  encodePacket,
  PROBE_HEADER_BYTES,
  type ProbePacket,
  probeIdentity,
} from "../../src/probe/index.ts";
import { type ProbeHost, probeNetwork } from "./probe-network.ts";

const clock = systemClock;
const port = 17900;
const key = new Uint8Array(32).fill(3);
const change = probeIdentity("change-1");
const hello: ProbePacket = {
  ...{ kind: "bulk", change, session: "00000000000000aa", sequence: 0, value: 0 },
  ...{ sender: probeIdentity("host-a"), receiver: probeIdentity("host-b") },
};

async function serving(t: TestContext) {
  const [a, b] = probeNetwork(t, { hosts: 2 }).hosts as [ProbeHost, ProbeHost];
  const server = await BulkServer.open({
    ...{ address: b.probe, port, namespace: b.path, clock, self: probeIdentity(b.name) },
    keyOf: (of) => (of === change ? key : undefined),
  });
  t.after(() => server.close());
  /** Bytes that came back until the connection ended, or `held` if it did not end within a second. */
  return async (bytes: Uint8Array): Promise<number | "held"> => {
    const to = { address: b.probe, port, localAddress: a.probe, namespace: a.path };
    const socket = new Socket({ fd: startConnectTcp(to) });
    t.after(() => socket.destroy());
    let received = 0;
    socket.on("data", (data: Uint8Array) => {
      received += data.length;
    });
    socket.on("error", () => undefined);
    const ended = new Promise<number>((resolve) => socket.on("close", () => resolve(received)));
    socket.write(bytes);
    return await Promise.race([ended, sleep(clock, 1000).then(() => "held" as const)]);
  };
}

const whole = (packet: ProbePacket, by = key) =>
  Buffer.concat([encodePacket(packet, by), Buffer.alloc(1 << 20)]);

test("a partner's megabyte is answered with a header, and not a second time", async (t) => {
  const send = await serving(t);
  assert.equal(await send(whole(hello)), PROBE_HEADER_BYTES);
  assert.equal(await send(whole(hello)), 0, "it has come before");
  const next = { ...hello, session: "00000000000000ab" };
  assert.equal(await send(whole(next)), PROBE_HEADER_BYTES);
});

test("whoever does not begin as a partner gets nothing", async (t) => {
  const send = await serving(t);
  assert.equal(await send(whole(hello, new Uint8Array(32))), 0);
  assert.equal(await send(whole({ ...hello, receiver: probeIdentity("host-z") })), 0);
  assert.equal(await send(whole({ ...hello, kind: "request" })), 0);
  assert.equal(await send(Buffer.alloc(PROBE_HEADER_BYTES, 1)), 0);
});

test("connections are few: those beyond are closed, and there is room again afterwards", async (t) => {
  const send = await serving(t);
  const silent = await Promise.all(Array.from({ length: 20 }, () => send(new Uint8Array(1))));
  assert.equal(silent.filter((answer) => answer === "held").length, 16);
  // Who says nothing for three seconds makes room.
  await sleep(clock, 2500);
  assert.equal(await send(whole(hello)), PROBE_HEADER_BYTES);
});
