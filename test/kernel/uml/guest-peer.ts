/**
 * What the guest runs: sets its tunnel up by our backend for the kernel's module, then echoes UDP and
 * TCP on its tunnel address, and starts traffic of its own when told. Told by lines of JSON over TCP on its plain address, answered likewise;
 * `{"kind": "halt"}` ends it. Arguments: plain address, tunnel address, route through the tunnel.
 */

import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import dgram from "node:dgram";
import { once } from "node:events";
import net from "node:net";
import { createInterface } from "node:readline";
import {
  type IpipBackend,
  type IpipCounters,
  openIpipBackend,
} from "../../../src/dataplane/ipip/index.ts";
import { ipv4, sleep, systemClock } from "../../../src/lib/index.ts";

export const CONTROL_PORT = 7000;
const ECHO_PORT = 7001;

export type GuestCommand =
  /** Datagrams to an echo; answered by the number that came back whole. */
  | { readonly kind: "udp"; readonly to: string; readonly bytes: number; readonly count: number }
  /** Bytes to a TCP echo; answered by the number that came back, -1 if not the same. */
  | { readonly kind: "tcp"; readonly to: string; readonly bytes: number }
  /** Answered by {@link GuestTunnel}. */
  | { readonly kind: "tunnel" }
  /** Takes the tunnel down; answered by {@link GuestTunnel}. */
  | { readonly kind: "remove" }
  | { readonly kind: "halt" };

export interface GuestTunnel {
  readonly backend: IpipBackend["kind"];
  readonly counters: IpipCounters;
  /** `ip -d link show tunl0` and its addresses and routes. */
  readonly text: string;
}

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

function ip(...words: string[]): string {
  return execFileSync("ip", words, { encoding: "utf8" });
}

/** The tunnel as an agent makes it; address and route are other drivers' work. */
async function openTunnel(local: string, tunnel: string, route: string): Promise<IpipBackend> {
  const [uplink] = JSON.parse(ip("-j", "link", "show", "vec0"));
  const backend = await openIpipBackend();
  await backend.apply({
    device: "tunl0",
    mtu: 1480,
    uplink: uplink.ifindex,
    uplinkMac: uplink.address,
    local: ipv4(local),
    accept: true,
    senders: [],
    destinations: [],
  });
  ip("address", "add", `${tunnel}/32`, "dev", "tunl0");
  ip("route", "add", ...route.split(" "), "dev", "tunl0", "proto", "bird", "onlink");
  return backend;
}

async function describeTunnel(backend: IpipBackend): Promise<GuestTunnel> {
  const text = ip("-d", "link", "show", "tunl0") + ip("address", "show", "tunl0") + ip("route");
  return { backend: backend.kind, counters: await backend.counters(), text };
}

async function serveEcho(address: string): Promise<void> {
  const echo = dgram.createSocket("udp4");
  echo.on("message", (data, from) => echo.send(data, from.port, from.address));
  echo.bind(ECHO_PORT, address);
  await once(echo, "listening");
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  server.listen(ECHO_PORT, address);
  await once(server, "listening");
}

async function main(plain: string, tunnel: string, route: string): Promise<void> {
  const backend = await openTunnel(plain, tunnel, route);
  await serveEcho(tunnel);
  const answer = async (command: GuestCommand): Promise<unknown> => {
    switch (command.kind) {
      case "udp":
        return udp(tunnel, command);
      case "tcp":
        return tcp(tunnel, command);
      case "remove":
        await backend.remove();
        return describeTunnel(backend);
      case "tunnel":
        return describeTunnel(backend);
      case "halt":
        return process.exit(0);
    }
  };
  const control = net.createServer(async (socket) => {
    for await (const line of createInterface({ input: socket })) {
      const result = await answer(JSON.parse(line)).catch((error: Error) => error.message);
      socket.write(`${JSON.stringify(result)}\n`);
    }
  });
  control.listen(CONTROL_PORT, plain);
}

const [plain, tunnel, route] = process.argv.slice(2);
if (import.meta.main && plain && tunnel && route) await main(plain, tunnel, route);
