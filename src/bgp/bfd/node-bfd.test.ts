/** BFD sockets on loopback: source ports, time to live both ways, both families. */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { after, describe, it } from "node:test";
import { formatAddress, type IpAddress, ipAddress, systemClock } from "../../lib/index.ts";
import { closeFd, openUdpSocket, sendDatagramTo, setTimeToLive } from "../../lib/sys/index.ts";
import { nodeBfdTransport } from "./node-bfd.ts";

const open: { close(): void }[] = [];
after(() => {
  for (const each of open) each.close();
});

const pause = (delayMs: number) =>
  new Promise<void>((resolve) => systemClock.schedule(delayMs, resolve));

async function until(condition: () => boolean): Promise<void> {
  const endMs = systemClock.monotonicMs() + 5000;
  while (!condition()) {
    assert.ok(systemClock.monotonicMs() < endMs, "not in time");
    await pause(5);
  }
}

for (const { family, receiver, sender } of [
  { family: 4, receiver: "127.0.11.1", sender: "127.0.11.2" },
  { family: 6, receiver: "::1", sender: "::1" },
] as const) {
  const localAddress = ipAddress(receiver);

  describe(`BFD over IPv${family}`, () => {
    it("hears what comes with a time to live of 255, and nothing else", async () => {
      const heard: string[] = [];
      const listener = await nodeBfdTransport.listen({ localAddress }, (bytes, from: IpAddress) => {
        heard.push(`${Buffer.from(bytes).toString()} ${formatAddress(from)}`);
      });
      open.push(listener);
      const near = nodeBfdTransport.sender({
        address: localAddress,
        localAddress: ipAddress(sender),
      });
      open.push(near);
      for (const ttl of [254, 64, 1]) {
        const fd = openUdpSocket({
          address: ipAddress(sender),
          prepare: (made) => setTimeToLive({ fd: made, family }, ttl),
        });
        sendDatagramTo(fd, Buffer.from("far"), { address: localAddress, port: 3784 });
        closeFd(fd);
      }
      near.send(Buffer.from("near"));
      await until(() => heard.length > 0);
      await pause(20);
      assert.deepEqual(heard, [`near ${sender}`]);
    });

    it("sends all packets of a session from one port of 49152 or more", async () => {
      const socket = createSocket(family === 4 ? "udp4" : "udp6");
      const address = ipAddress(family === 4 ? "127.0.11.3" : "::1");
      const ports: number[] = [];
      socket.on("message", (_, { port }) => void ports.push(port));
      for (const each of open.splice(0)) each.close();
      await new Promise<void>((resolve) => socket.bind(3784, formatAddress(address), resolve));
      open.push(socket);
      const senders = Array.from({ length: 20 }, () =>
        nodeBfdTransport.sender({ address, localAddress: ipAddress(sender) }),
      );
      open.push(...senders);
      for (const each of [...senders, ...senders]) each.send(Uint8Array.of(1));
      await until(() => ports.length === 40);
      assert.equal(new Set(ports).size, 20);
      assert.ok(
        ports.every((port) => port >= 49_152),
        `${ports}`,
      );
    });
  });
}
