/** UDP and TCP between namespaces, from inside the test process. */

import { createHash, randomBytes } from "node:crypto";
import dgram from "node:dgram";
import { once } from "node:events";
import net from "node:net";
import { ipv4, sleep, systemClock } from "../../src/lib/index.ts";
import {
  connectTcp,
  openTcpListener,
  openUdpSocket,
  setIntegerOption,
} from "../../src/lib/sys/index.ts";

export const ECHO_PORT = 7001;

export interface Endpoint {
  readonly namespace: string;
  readonly address: string;
}

const path = (namespace: string) => `/run/netns/${namespace}`;

function udpSocket(endpoint: Endpoint, port?: number): dgram.Socket {
  const fd = openUdpSocket({
    namespace: path(endpoint.namespace),
    address: ipv4(endpoint.address),
    receiveBufferBytes: 4 << 20,
    ...(port === undefined ? {} : { port }),
  });
  const socket = dgram.createSocket("udp4");
  socket.bind({ fd });
  return socket;
}

/** Sends every datagram and every TCP byte back, until closed. */
export async function startEcho(endpoint: Endpoint): Promise<{ close(): void }> {
  const udp = udpSocket(endpoint, ECHO_PORT);
  udp.on("message", (data, from) => udp.send(data, from.port, from.address));
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  const { namespace } = endpoint;
  const listener = openTcpListener({
    namespace: path(namespace),
    address: ipv4(endpoint.address),
    port: ECHO_PORT,
  });
  server.listen({ fd: listener });
  await once(server, "listening");
  return {
    close() {
      udp.close();
      server.close();
    },
  };
}

export interface ProbeOptions {
  readonly from: Endpoint;
  readonly to: string;
  /** Payload of each datagram, at least 4. */
  readonly bytes: number;
  readonly count: number;
  readonly perSecond?: number;
  /** For the last replies, if any is missing; 5000 unless told. */
  readonly waitMs?: number;
  /** Runs while the probes go; they stop when it is done, or at `count` without it. */
  readonly during?: () => Promise<void>;
}

export interface ProbeResult {
  readonly sent: number;
  readonly received: number;
  readonly reordered: number;
  /** Bytes of every reply were those sent. */
  readonly intact: boolean;
}

/**
 * Probes on their way at once: on a machine too busy for the rate, fewer are sent, rather than lost in
 * socket buffers that nobody empties.
 */
const WINDOW = 200;

/** Numbered datagrams to an echo and back. */
export async function probe(options: ProbeOptions): Promise<ProbeResult> {
  const { from, to, bytes, count, perSecond = 1000, during } = options;
  const socket = udpSocket(from);
  const payload = randomBytes(bytes);
  const seen = new Set<number>();
  let highest = -1;
  let reordered = 0;
  let intact = true;
  socket.on("message", (data) => {
    const number = data.readUInt32BE(0);
    if (number < highest) reordered++;
    highest = Math.max(highest, number);
    seen.add(number);
    if (data.length !== bytes || !data.subarray(4).equals(payload.subarray(4))) intact = false;
  });
  socket.on("error", () => {});
  let running = during !== undefined;
  const work = during?.().finally(() => {
    running = false;
  });
  let sent = 0;
  const startMs = systemClock.monotonicMs();
  while (during ? running : sent < count) {
    const due = Math.ceil(((systemClock.monotonicMs() - startMs) / 1000) * perSecond) + 1;
    while (sent < due && sent - seen.size < WINDOW && (during || sent < count)) {
      payload.writeUInt32BE(sent++, 0);
      socket.send(Buffer.from(payload), ECHO_PORT, to);
    }
    await sleep(systemClock, 1);
  }
  await work;
  const untilMs = systemClock.monotonicMs() + (options.waitMs ?? 5000);
  while (seen.size < sent && systemClock.monotonicMs() < untilMs) await sleep(systemClock, 5);
  socket.close();
  return { sent, received: seen.size, reordered, intact };
}

const UDP_SEGMENT = { level: 17, option: 103, name: "UDP_SEGMENT" };

/** One send of many datagrams, which the kernel keeps together as long as it can; those echoed. */
export async function probeSegmented(options: {
  readonly from: Endpoint;
  readonly to: string;
  /** Bytes of each datagram. */
  readonly segment: number;
  readonly segments: number;
}): Promise<number> {
  const { from, to, segment, segments } = options;
  const fd = openUdpSocket({
    namespace: path(from.namespace),
    address: ipv4(from.address),
    prepare: (fd) => setIntegerOption(fd, UDP_SEGMENT, segment),
  });
  const socket = dgram.createSocket("udp4");
  socket.bind({ fd });
  const payload = randomBytes(segment);
  let echoed = 0;
  socket.on("message", (data) => {
    if (data.equals(payload)) echoed++;
  });
  socket.send(Buffer.concat(Array(segments).fill(payload)), ECHO_PORT, to);
  const untilMs = systemClock.monotonicMs() + 2000;
  while (echoed < segments && systemClock.monotonicMs() < untilMs) await sleep(systemClock, 5);
  socket.close();
  return echoed;
}

/** Sends bytes over one TCP connection to an echo; throughput of the round, if all came back right. */
export async function transfer(options: {
  readonly from: Endpoint;
  readonly to: string;
  readonly bytes: number;
}): Promise<{ readonly gigabitsPerSecond: number }> {
  const { from, to, bytes } = options;
  const startMs = systemClock.monotonicMs();
  const fd = await connectTcp({
    namespace: path(from.namespace),
    address: ipv4(to),
    localAddress: ipv4(from.address),
    port: ECHO_PORT,
    timeoutMs: 3000,
  });
  const socket = new net.Socket({ fd, allowHalfOpen: true });
  const chunk = randomBytes(256 * 1024);
  const out = createHash("sha1");
  const back = createHash("sha1");
  let received = 0;
  socket.on("data", (data) => {
    back.update(data);
    received += data.length;
  });
  const ended = once(socket, "end");
  for (let sent = 0; sent < bytes; sent += chunk.length) {
    out.update(chunk);
    if (!socket.write(chunk)) await once(socket, "drain");
  }
  socket.end();
  await ended;
  socket.destroy();
  if (received < bytes || out.digest("hex") !== back.digest("hex")) {
    throw new Error(`of ${bytes} bytes to ${to}, ${received} came back, or not the same`);
  }
  const seconds = (systemClock.monotonicMs() - startMs) / 1000;
  return { gigabitsPerSecond: (received * 2 * 8) / seconds / 1e9 };
}
