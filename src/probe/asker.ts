/** The asking end: sends packets to one partner from a port of its own, and knows which were answered. */

import { randomBytes } from "node:crypto";
import type { Socket } from "node:dgram";
import { type Clock, errorText, formatAddress, type IpAddress, type Timer } from "../lib/index.ts";
import { openDatagramSocket } from "./datagram-socket.ts";
import { decodePacket, encodePacket, type ProbeIdentity } from "./packet.ts";

export interface ProbeAskerOptions {
  /** Where packets are sent from. */
  readonly address: IpAddress;
  readonly peer: { readonly address: IpAddress; readonly port: number };
  /** Path of a network namespace; the own unless told. */
  readonly namespace?: string;
  readonly self: ProbeIdentity;
  readonly partner: ProbeIdentity;
  readonly change: ProbeIdentity;
  readonly key: Uint8Array;
  readonly clock: Clock;
}

export type Answer =
  | { readonly kind: "answered"; readonly rttUs: number }
  /** Nothing came in time. */
  | { readonly kind: "lost" }
  /** It could not be sent, or an ICMP error came back: in the kernel's words. */
  | { readonly kind: "refused"; readonly error: string; readonly tooLarge: boolean };

interface Waiting {
  readonly settle: (answer: Answer) => void;
  readonly timer: Timer;
}

export class ProbeAsker {
  readonly #options: ProbeAskerOptions;
  readonly #socket: Socket;
  readonly #session = randomBytes(8).toString("hex");
  readonly #waiting = new Map<number, Waiting>();
  #sequence = 0;

  private constructor(options: ProbeAskerOptions, socket: Socket) {
    this.#options = options;
    this.#socket = socket;
    socket.on("message", (bytes) => this.#take(bytes));
    // An ICMP error: it does not say of which packet, so it is the last one's.
    socket.on("error", (error) => {
      const last = [...this.#waiting.keys()].at(-1);
      if (last !== undefined) this.#settle(last, refusal(error));
    });
  }

  /** @throws SYSTEM_CALL_FAILED, or what connect(2) says: no route. */
  static async open(options: ProbeAskerOptions): Promise<ProbeAsker> {
    const { address, namespace, peer } = options;
    const socket = await openDatagramSocket({
      address,
      ...(namespace !== undefined && { namespace }),
    });
    try {
      await connect(socket, peer);
      return new ProbeAsker(options, socket);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** Sends what nobody answers. @returns why it could not be sent. */
  async tell(): Promise<string | undefined> {
    try {
      await this.#send("first", this.#sequence++);
      return undefined;
    } catch (error) {
      return errorText(error);
    }
  }

  /** Sends a datagram of `bytes`, and waits for its answer. Never rejects. */
  ask(options: { readonly bytes?: number; readonly withinMs: number }): Promise<Answer> {
    const sequence = this.#sequence++;
    const { clock } = this.#options;
    return new Promise((settle) => {
      const timer = clock.schedule(options.withinMs, () =>
        this.#settle(sequence, { kind: "lost" }),
      );
      this.#waiting.set(sequence, { settle, timer });
      this.#send("request", sequence, options.bytes).catch((error: unknown) =>
        this.#settle(sequence, refusal(error)),
      );
    });
  }

  /** What is waited for is lost. */
  close(): void {
    for (const sequence of [...this.#waiting.keys()]) this.#settle(sequence, { kind: "lost" });
    this.#socket.close();
  }

  #send(kind: "first" | "request", sequence: number, bytes?: number): Promise<void> {
    const { change, self: sender, partner: receiver, key } = this.#options;
    const session = this.#session;
    const packet = { kind, change, sender, receiver, session, sequence, value: this.#nowUs() };
    return new Promise((resolve, reject) => {
      this.#socket.send(encodePacket(packet, key, bytes), (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }

  #take(bytes: Uint8Array): void {
    const { change, self, partner, key } = this.#options;
    const packet = decodePacket(bytes, (of) => (of === change ? key : undefined));
    if (packet?.kind !== "reply" || packet.session !== this.#session) return;
    if (packet.sender !== partner || packet.receiver !== self) return;
    const rttUs = Math.max(0, this.#nowUs() - packet.value);
    this.#settle(packet.sequence, { kind: "answered", rttUs });
  }

  #settle(sequence: number, answer: Answer): void {
    const waiting = this.#waiting.get(sequence);
    this.#waiting.delete(sequence);
    waiting?.timer.cancel();
    waiting?.settle(answer);
  }

  #nowUs(): number {
    return Math.round(this.#options.clock.monotonicMs() * 1000);
  }
}

function connect(socket: Socket, peer: ProbeAskerOptions["peer"]): Promise<void> {
  return new Promise((resolve, reject) => {
    // Called with the error, whatever its type says.
    const connected = (error?: unknown) => (error ? reject(error) : resolve());
    socket.connect(peer.port, formatAddress(peer.address), connected);
  });
}

function refusal(error: unknown): Answer {
  const tooLarge = (error as NodeJS.ErrnoException).code === "EMSGSIZE";
  return { kind: "refused", error: errorText(error), tooLarge };
}
