/**
 * The answering end: takes probe packets at one address and port, tells whom it heard, answers requests. An
 * answer is the bare header, never larger than what asked for it. What is not authentic, not for this node or
 * has come before gets nothing.
 */

import type { Socket } from "node:dgram";
import { type IpAddress, ipAddress } from "../lib/index.ts";
import { openDatagramSocket } from "./datagram-socket.ts";
import { decodePacket, encodePacket, type ProbeIdentity, type ProbePacket } from "./packet.ts";
import { ReplayGuard } from "./replay-window.ts";

export interface ProbeEndpointOptions {
  readonly address: IpAddress;
  readonly port: number;
  /** Path of a network namespace; the own unless told. */
  readonly namespace?: string;
  /** This node. */
  readonly self: ProbeIdentity;
  /** Key of a change; undefined: no such change here. */
  readonly keyOf: (change: ProbeIdentity) => Uint8Array | undefined;
  /** A packet, new and authentic, has come from this address: `first` or `request`. */
  readonly heard: (packet: ProbePacket, from: IpAddress) => void;
}

export class ProbeEndpoint {
  readonly #options: ProbeEndpointOptions;
  readonly #replays = new ReplayGuard();
  readonly #socket: Socket;

  private constructor(options: ProbeEndpointOptions, socket: Socket) {
    this.#options = options;
    this.#socket = socket;
    socket.on("message", (bytes, { address, port }) => this.#take(bytes, { address, port }));
    // What an unconnected socket reports concerns one packet, which its sender misses anyway.
    socket.on("error", () => undefined);
  }

  /** @throws SYSTEM_CALL_FAILED if the address or port cannot be had. */
  static async open(options: ProbeEndpointOptions): Promise<ProbeEndpoint> {
    return new ProbeEndpoint(options, await openDatagramSocket(options));
  }

  close(): void {
    this.#socket.close();
  }

  #take(bytes: Uint8Array, from: { readonly address: string; readonly port: number }): void {
    const { self, keyOf, heard } = this.#options;
    const packet = decodePacket(bytes, keyOf);
    if (packet === undefined || packet.receiver !== self) return;
    if (packet.kind !== "first" && packet.kind !== "request") return;
    if (!this.#replays.isNew(packet)) return;
    heard(packet, ipAddress(from.address));
    const key = keyOf(packet.change);
    if (packet.kind === "first" || key === undefined) return;
    const { sender, receiver } = packet;
    const reply = { ...packet, kind: "reply", sender: receiver, receiver: sender } as const;
    // A refusal here is an answer that does not come: the other end counts it.
    this.#socket.send(encodePacket(reply, key), from.port, from.address, () => undefined);
  }
}
