/** Sockets by the address they use, held against sockets that the test opens in a namespace of its own. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { formatAddress, ipAddress } from "../../src/lib/index.ts";
import { openSocketDiag } from "../../src/netlink/index.ts";
import { freshNamespace, run } from "./netlink-fixture.ts";

async function program(
  context: TestContext,
  namespace: string,
  text: string,
): Promise<ChildProcess> {
  const child = spawn("nsenter", [`--net=${namespace}`, process.execPath, "-e", text], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  context.after(() => void child.kill("SIGKILL"));
  await once(child.stdout!, "data");
  return child;
}

async function setUp(context: TestContext) {
  const namespace = freshNamespace(context);
  run(namespace, "ip", "link", "set", "lo", "up");
  for (const address of ["10.9.0.1/32", "10.9.0.2/32", "10.9.0.3/32", "fd00:9::1/128"]) {
    run(namespace, "ip", "address", "add", address, "dev", "lo");
  }
  const diag = openSocketDiag({ namespace });
  context.after(() => diag.close());
  const users = async (address: string) =>
    (await diag.usersOf(ipAddress(address)))
      .map(({ protocol, state, source, destination, destinationPort }) => {
        const to = destinationPort === 0 ? "" : ` to ${formatAddress(destination)}`;
        return `${protocol} ${state} ${formatAddress(source)}${to}`;
      })
      .sort();
  return { namespace, diag, users };
}

test("TCP and UDP sockets are found by the address they use, and by no other", async (t) => {
  const { namespace, users } = await setUp(t);
  assert.deepEqual(await users("10.9.0.1"), []);
  const child = await program(
    t,
    namespace,
    `const net = require("node:net"), dgram = require("node:dgram");
     const server = net.createServer().listen(700, "10.9.0.2", () => {
       const socket = net.connect({ port: 700, host: "10.9.0.2", localAddress: "10.9.0.1" });
       const bound = dgram.createSocket("udp4").bind(53, "10.9.0.1");
       const six = dgram.createSocket("udp6");
       six.bind(54, "fd00:9::1", () => socket.on("connect", () => console.log("ready")));
     });
     process.stdin.resume().on("end", () => process.exit());`,
  );
  assert.deepEqual(await users("10.9.0.1"), [
    "tcp established 10.9.0.1 to 10.9.0.2",
    "udp close 10.9.0.1",
  ]);
  assert.deepEqual(await users("10.9.0.2"), [
    "tcp established 10.9.0.2 to 10.9.0.1",
    "tcp listen 10.9.0.2",
  ]);
  assert.deepEqual(await users("fd00:9::1"), ["udp close fd00:9::1"]);
  assert.deepEqual(await users("10.9.0.3"), []);
  child.stdin!.end();
  await once(child, "exit");
  assert.deepEqual(await users("10.9.0.1"), [], "what has ended waits for nobody");
});

test("a socket of IPv6 that carries IPv4 is found by its IPv4 address", async (t) => {
  const { namespace, diag, users } = await setUp(t);
  await program(
    t,
    namespace,
    `const net = require("node:net");
     const server = net.createServer().listen(700, "::", () => {
       net.connect({ port: 700, host: "10.9.0.2", localAddress: "10.9.0.1" })
         .on("connect", () => console.log("ready"));
     });`,
  );
  assert.deepEqual(await users("10.9.0.2"), ["tcp established 10.9.0.2 to 10.9.0.1"]);
  const all = await diag.sockets({ protocol: "tcp", family: 6 });
  assert.deepEqual(all.map(({ state }) => state).sort(), ["established", "listen"]);
  const [connected] = all.filter(({ state }) => state === "established");
  assert.equal(connected?.sourcePort, 700);
  assert.ok((connected?.inode ?? 0) > 0);
});
