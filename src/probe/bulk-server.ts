/**
 * Takes a megabyte of TCP from who can prove that it is a partner, and says how it came. Few connections at a
 * time, each for seconds; who does not begin with an authentic packet gets nothing.
 */

import { createServer, type Server, type Socket } from "node:net";
import type { Clock, IpAddress } from "../lib/index.ts";
import { openTcpListener } from "../lib/sys/index.ts";
import {
  decodePacket,
  encodePacket,
  PROBE_HEADER_BYTES,
  type ProbeIdentity,
  type ProbePacket,
} from "./packet.ts";
import { ReplayGuard } from "./replay-window.ts";

/** Follow the opening packet. */
export const BULK_BYTES = 1 << 20;
const MOST_CONNECTIONS = 16;
const HELLO_WITHIN_MS = 3_000;
const ALL_WITHIN_MS = 15_000;

export interface BulkServerOptions {
  readonly address: IpAddress;
  readonly port: number;
  /** Path of a network namespace; the own unless told. */
  readonly namespace?: string;
  readonly self: ProbeIdentity;
  readonly keyOf: (change: ProbeIdentity) => Uint8Array | undefined;
  readonly clock: Clock;
}

export class BulkServer {
  readonly #options: BulkServerOptions;
  readonly #replays = new ReplayGuard();
  readonly #server: Server;
  readonly #connections = new Set<Socket>();

  private constructor(options: BulkServerOptions, server: Server) {
    this.#options = options;
    this.#server = server;
    server.on("connection", (socket) => this.#serve(socket));
  }

  /** @throws SYSTEM_CALL_FAILED if the address or port cannot be had. */
  static async open(options: BulkServerOptions): Promise<BulkServer> {
    const { address, port, namespace } = options;
    const fd = openTcpListener({ address, port, ...(namespace !== undefined && { namespace }) });
    const server = createServer();
    const bulk = new BulkServer(options, server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ fd }, () => {
        server.off("error", reject);
        server.on("error", () => undefined);
        resolve();
      });
    });
    return bulk;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#connections) socket.destroy();
  }

  #serve(socket: Socket): void {
    if (this.#connections.size >= MOST_CONNECTIONS) {
      socket.destroy();
      return;
    }
    const { clock } = this.#options;
    this.#connections.add(socket);
    const timers = [
      clock.schedule(ALL_WITHIN_MS, () => socket.destroy()),
      clock.schedule(HELLO_WITHIN_MS, () => hello === undefined && socket.destroy()),
    ];
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#connections.delete(socket);
      for (const timer of timers) timer.cancel();
    });
    let head = new Uint8Array(0);
    let hello: ProbePacket | undefined;
    let received = 0;
    let lastMs = clock.monotonicMs();
    let stallMs = 0;
    socket.on("data", (bytes: Uint8Array) => {
      const nowMs = clock.monotonicMs();
      let rest = bytes;
      if (hello === undefined) {
        head = Buffer.concat([head, bytes]);
        if (head.length < PROBE_HEADER_BYTES) return;
        hello = this.#admit(head.subarray(0, PROBE_HEADER_BYTES));
        if (hello === undefined) {
          socket.destroy();
          return;
        }
        rest = head.subarray(PROBE_HEADER_BYTES);
      } else {
        stallMs = Math.max(stallMs, nowMs - lastMs);
      }
      lastMs = nowMs;
      received += rest.length;
      if (received >= BULK_BYTES) this.#finish(socket, hello, stallMs);
    });
  }

  #admit(bytes: Uint8Array): ProbePacket | undefined {
    const { self, keyOf } = this.#options;
    const packet = decodePacket(bytes, keyOf);
    if (packet?.kind !== "bulk" || packet.receiver !== self) return undefined;
    return this.#replays.isNew(packet) ? packet : undefined;
  }

  #finish(socket: Socket, hello: ProbePacket, stallMs: number): void {
    const key = this.#options.keyOf(hello.change);
    if (key === undefined) {
      socket.destroy();
      return;
    }
    const { sender, receiver } = hello;
    const value = Math.round(stallMs * 1000);
    const done = {
      ...hello,
      kind: "bulk-done",
      sender: receiver,
      receiver: sender,
      value,
    } as const;
    socket.end(encodePacket(done, key));
  }
}
