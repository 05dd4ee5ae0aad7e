/** One long TCP connection with a steady flow of checked data; made again when it breaks, and counted. */

import { Socket } from "node:net";
import { ipAddress } from "../../lib/index.ts";
import { acceptTcp, closeFd, connectTcp, openTcpListener, tcpInfo } from "../../lib/sys/index.ts";
import type { Endpoint, StreamCounts } from "./types.ts";

const BYTES_PER_MS = 2000;
const PATTERN = Buffer.from(
  Array.from({ length: 65536 }, (_, index) => (index * 31 + (index >> 8)) & 255),
);

interface Connection {
  readonly fds: readonly [number, number];
  readonly sockets: readonly [Socket, Socket];
}

export class TcpStream {
  readonly #from: Endpoint;
  readonly #to: Endpoint;
  readonly #port: number;
  readonly #listener: number;
  #connection: Connection | undefined;
  #connecting: Promise<void> | undefined;
  #closed = false;
  #sentBytes = 0;
  #receivedBytes = 0;
  #writtenUntilMs = 0;
  #lastDataMs: number | undefined;
  #endedRetransmits = 0;
  #window = { bytes: 0, resets: 0, longestStallMs: 0, retransmitsBefore: 0 };

  constructor(from: Endpoint, to: Endpoint, port: number) {
    this.#from = from;
    this.#to = to;
    this.#port = port;
    this.#listener = openTcpListener({
      namespace: to.namespace,
      address: ipAddress(to.address),
      port,
    });
  }

  async connect(): Promise<void> {
    const { namespace, address } = this.#from;
    const client = await connectTcp({
      namespace,
      localAddress: ipAddress(address),
      address: ipAddress(this.#to.address),
      port: this.#port,
      timeoutMs: 5000,
    });
    const server = acceptTcp(this.#listener);
    if (server === undefined) {
      closeFd(client);
      throw new Error("the connection was made, but cannot be accepted");
    }
    const sockets = [new Socket({ fd: client }), new Socket({ fd: server })] as const;
    const connection = { fds: [client, server], sockets } as const;
    this.#connection = connection;
    this.#sentBytes = this.#receivedBytes = 0;
    for (const socket of sockets) {
      socket.on("error", () => this.#broken(connection));
      socket.on("close", () => this.#broken(connection));
    }
    sockets[1].on("data", (data: Buffer) => this.#receive(connection, data));
  }

  /** Writes what is due. */
  turn(nowMs: number): void {
    if (this.#closed) return;
    if (!this.#connection) {
      this.#connecting ??= this.connect()
        .catch(() => undefined)
        .finally(() => {
          this.#connecting = undefined;
        });
      return;
    }
    const elapsedMs = Math.min(50, nowMs - (this.#writtenUntilMs || nowMs));
    this.#writtenUntilMs = nowMs;
    const socket = this.#connection.sockets[0];
    if (socket.writableLength > 1 << 20) return;
    let due = Math.floor(elapsedMs * BYTES_PER_MS);
    while (due > 0) {
      const offset = this.#sentBytes % PATTERN.length;
      const chunk = PATTERN.subarray(offset, Math.min(PATTERN.length, offset + due));
      socket.write(chunk);
      this.#sentBytes += chunk.length;
      due -= chunk.length;
    }
  }

  /** Begins a new window. */
  advance(nowMs: number): void {
    this.#lastDataMs = nowMs;
    this.#window = {
      bytes: 0,
      resets: 0,
      longestStallMs: 0,
      retransmitsBefore: this.#retransmits(),
    };
  }

  counts(nowMs: number): StreamCounts {
    this.#noteStall(nowMs);
    const { bytes, resets, longestStallMs, retransmitsBefore } = this.#window;
    return { bytes, resets, longestStallMs, retransmits: this.#retransmits() - retransmitsBefore };
  }

  close(): void {
    this.#closed = true;
    const connection = this.#connection;
    this.#connection = undefined;
    for (const socket of connection?.sockets ?? []) socket.destroy();
    closeFd(this.#listener);
  }

  #receive(connection: Connection, data: Buffer): void {
    const nowMs = performance.now();
    this.#noteStall(nowMs);
    this.#lastDataMs = nowMs;
    this.#window.bytes += data.length;
    for (let at = 0; at < data.length; ) {
      const offset = this.#receivedBytes % PATTERN.length;
      const length = Math.min(data.length - at, PATTERN.length - offset);
      if (PATTERN.compare(data, at, at + length, offset, offset + length) !== 0) {
        this.#broken(connection);
        return;
      }
      this.#receivedBytes += length;
      at += length;
    }
  }

  #noteStall(nowMs: number): void {
    const stallMs = nowMs - (this.#lastDataMs ?? nowMs);
    this.#window.longestStallMs = Math.max(this.#window.longestStallMs, stallMs);
  }

  /** Reset, closed or wrong data: all the same to who relies on the connection. */
  #broken(connection: Connection): void {
    if (this.#closed || this.#connection !== connection) return;
    this.#endedRetransmits = this.#retransmits();
    this.#connection = undefined;
    this.#window.resets++;
    for (const socket of connection.sockets) socket.destroy();
  }

  #retransmits(): number {
    let total = this.#endedRetransmits;
    for (const [index, fd] of (this.#connection?.fds ?? []).entries()) {
      if (!this.#connection?.sockets[index]?.destroyed) total += tcpInfo(fd).totalRetransmits;
    }
    return total;
  }
}
