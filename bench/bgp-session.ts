/** A peer of the benchmark's: dials, agrees on the least there is, then sends and receives. */

import { connect, type Socket } from "node:net";
import type { AddressFamily } from "../src/bgp/index.ts";
import { encodeKeepalive, Framer, HEADER_BYTES, messageType } from "../src/bgp/wire/index.ts";
import { addressOf, SUBJECT } from "./bgp-peers.ts";

const RETRY_MS = 200;
const KEEPALIVE_MS = 20_000;

export interface BenchSession {
  /** One after the other, as fast as they are read. */
  send(pieces: readonly Uint8Array[]): void;
  /** Goes without a word, as a machine that crashes does whose kernel lives on. */
  close(): void;
}

/** Resolves once it is Established; tries again as long as the subject does not want to. */
export function establish(options: {
  readonly address: string;
  /** Of the connection. */
  readonly family: AddressFamily;
  readonly open: Uint8Array;
  readonly onMessage: (type: number, message: Uint8Array) => void;
  readonly keepaliveMs?: number;
}): Promise<BenchSession> {
  const { address, family, open, onMessage, keepaliveMs = KEEPALIVE_MS } = options;
  const host = addressOf(SUBJECT, family);
  return new Promise((resolve) => {
    const dial = () => {
      const framer = new Framer();
      let established = false;
      let closing = false;
      let ticker: NodeJS.Timeout | undefined;
      const socket: Socket = connect({ host, port: 179, localAddress: address });
      const session: BenchSession = {
        send: (pieces) => {
          socket.cork();
          for (const piece of pieces) socket.write(piece);
          socket.uncork();
        },
        close: () => {
          closing = true;
          socket.destroy();
        },
      };
      socket.setNoDelay(true);
      socket.on("connect", () => socket.write(open));
      socket.on("error", () => undefined);
      socket.on("close", () => {
        clearInterval(ticker);
        if (closing) return;
        if (established) throw new Error(`the subject closed the session with ${address}`);
        setTimeout(dial, RETRY_MS);
      });
      socket.on("data", (chunk: Uint8Array) => {
        framer.push(chunk);
        for (let message = framer.next(); message; message = framer.next()) {
          const type = message[HEADER_BYTES - 1]!;
          if (established) onMessage(type, message);
          if (type === messageType.open) socket.write(encodeKeepalive());
          if (type === messageType.keepalive && !established) {
            established = true;
            ticker = setInterval(() => socket.write(encodeKeepalive()), keepaliveMs);
            resolve(session);
          }
          if (type === messageType.notification && established) {
            throw new Error(`NOTIFICATION ${message[19]}/${message[20]} to ${address}`);
          }
        }
      });
    };
    dial();
  });
}
