/**
 * What the guest runs when its tunnel stands: echoes UDP and TCP on its tunnel address, and starts
 * traffic of its own when told. Told by lines of JSON over TCP on its plain address, answered likewise;
 * `{"kind": "halt"}` ends it. Arguments: plain address, tunnel address.
 */

import { createHash, randomBytes } from "node:crypto";
import dgram from "node:dgram";
import { once } from "node:events";
import net from "node:net";
import { createInterface } from "node:readline";
import { sleep, systemClock } from "../../../src/lib/index.ts";

export const CONTROL_PORT = 7000;
const ECHO_PORT = 7001;

export type GuestCommand =
  /** Datagrams to an echo; answered by the number that came back whole. */
  | { readonly kind: "udp"; readonly to: string; readonly bytes: number; readonly count: number }
  /** Bytes to a TCP echo; answered by the number that came back, -1 if not the same. */
  | { readonly kind: "tcp"; readonly to: string; readonly bytes: number }
  | { readonly kind: "halt" };

async function udp(from: string, command: GuestCommand & { kind: "udp" }): Promise<number> {
  const socket = dgram.createSocket("udp4");
  socket.bind(0, from);
  await once(socket, "listening");
  const payload = randomBytes(command.bytes);
  let whole = 0;
  socket.on("message", (data) => {
    if (data.equals(payload)) whole++;
  });
  for (let sent = 0; sent < command.count; sent++) {
    const before = whole;
    socket.send(payload, ECHO_PORT, command.to);
    for (let waits = 0; whole === before && waits < 50; waits++) {
      await sleep(systemClock, 5);
    }
  }
  socket.close();
  return whole;
}

async function tcp(from: string, command: GuestCommand & { kind: "tcp" }): Promise<number> {
  const socket = net.connect({
    host: command.to,
    port: ECHO_PORT,
    localAddress: from,
    allowHalfOpen: true,
  });
  const chunk = randomBytes(64 * 1024);
  const out = createHash("sha1");
  const back = createHash("sha1");
  let received = 0;
  socket.on("data", (data) => {
    back.update(data);
    received += data.length;
  });
  const ended = once(socket, "end");
  for (let sent = 0; sent < command.bytes; sent += chunk.length) {
    out.update(chunk);
    if (!socket.write(chunk)) await once(socket, "drain");
  }
  socket.end();
  await ended;
  socket.destroy();
  return out.digest("hex") === back.digest("hex") ? received : -1;
}

async function main(plain: string, tunnel: string): Promise<void> {
  const echo = dgram.createSocket("udp4");
  echo.on("message", (data, from) => echo.send(data, from.port, from.address));
  echo.bind(ECHO_PORT, tunnel);
  await once(echo, "listening");
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  server.listen(ECHO_PORT, tunnel);
  await once(server, "listening");
  const control = net.createServer(async (socket) => {
    for await (const line of createInterface({ input: socket })) {
      const command = JSON.parse(line) as GuestCommand;
      if (command.kind === "halt") process.exit(0);
      const answer = command.kind === "udp" ? udp(tunnel, command) : tcp(tunnel, command);
      socket.write(`${JSON.stringify(await answer.catch((error: Error) => error.message))}\n`);
    }
  });
  control.listen(CONTROL_PORT, plain);
}

const [plain, tunnel] = process.argv.slice(2);
if (import.meta.main && plain && tunnel) await main(plain, tunnel);
