/** Sockets made inside a namespace and handed to Node.js, and the options Node.js has no call for. */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, Socket } from "node:net";
import { test } from "node:test";
import { ipAddress, ipv4 } from "../../src/lib/index.ts";
import {
  acceptTcp,
  closeFd,
  connectTcp,
  openTcpListener,
  openUdpSocket,
  pathMtu,
  receiveFd,
  sendFd,
  setMinimumTimeToLive,
  setPathMtuDiscovery,
  setReceiveBuffer,
  setSocketMark,
  setTcpMd5Key,
  setTimeToLive,
  socketAddress,
  tcpInfo,
  waitReadableSync,
} from "../../src/lib/sys/index.ts";
import { freshNamespace, run } from "./netlink-fixture.ts";

const localhost = ipv4("127.0.0.1");

for (const [family, address, type] of [
  ["IPv4", localhost, "udp4"],
  ["IPv6", ipAddress("::1"), "udp6"],
] as const) {
  test(`dgram takes over ${family} descriptors of another namespace`, async (t) => {
    const namespace = freshNamespace(t);
    const open = async (fd: number) => {
      const socket = createSocket(type);
      // Node.js emits "listening" inside bind({ fd }), before it returns.
      const listening = once(socket, "listening");
      socket.bind({ fd });
      await listening;
      t.after(() => socket.close());
      return socket;
    };
    const server = await open(openUdpSocket({ namespace, address, port: 5000 }));
    const client = await open(openUdpSocket({ namespace, address }));
    const received = once(server, "message");
    client.send("ping", 5000, type === "udp4" ? "127.0.0.1" : "::1");
    const [message, from] = await received;
    assert.equal(String(message), "ping");
    assert.equal(from.port, client.address().port);
    assert.match(run(namespace, "ss", "-Huln"), /:5000/);
  });
}

test("net takes over a listener and a connection of another namespace", async (t) => {
  const namespace = freshNamespace(t);
  const server = createServer((peer) => peer.on("error", () => {}).pipe(peer));
  server.listen({ fd: openTcpListener({ namespace, address: localhost, port: 5001 }) });
  await once(server, "listening");
  t.after(() => server.close());
  const localAddress = ipv4("127.0.0.9");
  const fd = await connectTcp({ namespace, address: localhost, port: 5001, localAddress });
  assert.equal(socketAddress(fd).address, localAddress);
  const client = new Socket({ fd });
  t.after(() => client.destroy());
  client.write("hello");
  const [data] = await once(client, "data");
  assert.equal(String(data), "hello");
  assert.equal(client.remotePort, 5001);
  const info = tcpInfo(fd);
  assert.equal(info.state, "ESTABLISHED");
  assert.equal(info.pathMtu, 65535);
  assert.ok(info.sendMss > 1000 && info.sendMss <= 65535, `MSS ${info.sendMss}`);
  assert.ok(info.rttUs > 0 && info.rttUs < 1e6, `RTT ${info.rttUs}`);
  assert.equal(info.totalRetransmits, 0);
});

test("retransmissions are counted", async (t) => {
  const namespace = freshNamespace(t);
  const listener = openTcpListener({ namespace, address: localhost, port: 5002 });
  t.after(() => closeFd(listener));
  const fd = await connectTcp({ namespace, address: localhost, port: 5002 });
  t.after(() => closeFd(fd));
  run(namespace, "ip", "link", "set", "lo", "down");
  assert.equal(sendFd(fd, Buffer.from("lost")), true);
  const deadline = performance.now() + 10_000;
  while (tcpInfo(fd).totalRetransmits === 0) {
    assert.ok(performance.now() < deadline, "no retransmission within 10 s");
    await new Promise((resolve) => setImmediate(resolve));
  }
});

test("a refused connection and one that nobody answers fail with the kernel's words", async (t) => {
  const namespace = freshNamespace(t);
  await assert.rejects(connectTcp({ namespace, address: localhost, port: 5003 }), {
    code: "SYSTEM_CALL_FAILED",
    message: "connect on 127.0.0.1:5003: Connection refused",
  });
  await assert.rejects(connectTcp({ namespace, address: ipv4("10.9.9.9"), port: 1 }), {
    message: "connect on 10.9.9.9:1: Network is unreachable",
  });
  run(namespace, "ip", "link", "add", "b0", "type", "bridge");
  run(namespace, "ip", "address", "add", "10.0.0.1/24", "dev", "b0");
  run(namespace, "ip", "link", "set", "b0", "up");
  const silent = { namespace, address: ipv4("10.0.0.2"), port: 1 };
  await assert.rejects(connectTcp({ ...silent, timeoutMs: 150 }), {
    details: { call: "connect", object: "10.0.0.2:1", errno: "ETIMEDOUT" },
  });
  const signal = AbortSignal.timeout(50);
  await assert.rejects(connectTcp({ ...silent, signal }), { name: "TimeoutError" });
});

test("a synchronous ping-pong needs no event loop", (t) => {
  const namespace = freshNamespace(t);
  const server = openUdpSocket({ namespace, address: localhost, port: 5004 });
  const client = openUdpSocket({ namespace, peer: { address: localhost, port: 5004 } });
  t.after(() => [server, client].forEach(closeFd));
  const buffer = new Uint8Array(16);
  assert.equal(receiveFd(server, buffer), undefined);
  assert.equal(waitReadableSync(server, 1), false);
  for (let i = 0; i < 1000; i++) {
    assert.equal(sendFd(client, Uint8Array.of(i & 255)), true);
    assert.equal(waitReadableSync(server, 1000), true);
    assert.equal(receiveFd(server, buffer), 1);
    assert.equal(buffer[0], i & 255);
  }
  closeFd(server);
  sendFd(client, Uint8Array.of(1));
  assert.throws(() => receiveFd(client, buffer), {
    code: "SYSTEM_CALL_FAILED",
    message: `recv on fd ${client}: Connection refused`,
  });
});

test("path MTU: what the route says is what a socket sees, and DF refuses more", (t) => {
  const namespace = freshNamespace(t);
  run(namespace, "ip", "link", "add", "b0", "type", "bridge");
  run(namespace, "ip", "address", "add", "10.0.0.1/24", "dev", "b0");
  run(namespace, "ip", "link", "set", "b0", "up");
  run(namespace, "ip", "route", "add", "10.1.0.0/24", "via", "10.0.0.2", "mtu", "1400");
  const fd = openUdpSocket({ namespace, peer: { address: ipv4("10.1.0.1"), port: 9 } });
  t.after(() => closeFd(fd));
  assert.equal(pathMtu(fd), 1400);
  setPathMtuDiscovery(fd, "do");
  assert.throws(() => sendFd(fd, new Uint8Array(1373)), { message: /Message too long/ });
  assert.equal(sendFd(fd, new Uint8Array(1372)), true);
});

test("TCP segments with too small a time to live are dropped (RFC 5082)", async (t) => {
  const namespace = freshNamespace(t);
  const where = { namespace, address: localhost, port: 5006 };
  const listener = openTcpListener({
    ...where,
    prepare: (fd) => setMinimumTimeToLive({ fd, family: 4 }, 255),
  });
  t.after(() => closeFd(listener));
  const connect = (ttl: number, timeoutMs: number) =>
    connectTcp({ ...where, timeoutMs, prepare: (fd) => setTimeToLive({ fd, family: 4 }, ttl) });
  await assert.rejects(connect(254, 300), { message: /Connection timed out$/ });
  assert.equal(acceptTcp(listener), undefined);
  closeFd(await connect(255, 5000));
  closeFd(acceptTcp(listener)!);
});

test("receive buffers beyond net.core.rmem_max, marks and devices", (t) => {
  const namespace = freshNamespace(t);
  const fd = openUdpSocket({ namespace, address: localhost, port: 5005, device: "lo", mark: 7 });
  t.after(() => closeFd(fd));
  setReceiveBuffer(fd, 16 * 1024 * 1024);
  setSocketMark(fd, 8);
  const shown = run(namespace, "ss", "-Hulnm", "sport", "=", "5005");
  assert.match(shown, /%lo:5005/);
  assert.match(shown, /rb33554432/);
  assert.throws(() => openUdpSocket({ namespace, device: "nosuch" }), {
    message: /setsockopt\(SO_BINDTODEVICE=nosuch\) on fd \d+: No such device/,
  });
});

test("TCP MD5: the right key connects, a wrong one does not", async (t) => {
  const namespace = freshNamespace(t);
  const listener = openTcpListener({
    namespace,
    address: localhost,
    port: 179,
    prepare: (fd) => setTcpMd5Key(fd, localhost, "secret"),
  });
  t.after(() => closeFd(listener));
  const connect = (key: string, timeoutMs: number) =>
    connectTcp({
      namespace,
      address: localhost,
      port: 179,
      timeoutMs,
      prepare: (fd) => setTcpMd5Key(fd, localhost, key),
    });
  closeFd(await connect("secret", 5000));
  const accepted = acceptTcp(listener);
  assert.notEqual(accepted, undefined);
  closeFd(accepted!);
  await assert.rejects(connect("wrong", 300), { message: /Connection timed out$/ });
  assert.equal(acceptTcp(listener), undefined);
});
