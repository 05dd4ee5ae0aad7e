/** A peer of the benchmark's: dials, agrees on the least there is, then sends and receives. */

import { connect, type Socket } from "node:net";
import { encodeKeepalive, Framer, HEADER_BYTES, messageType } from "../src/bgp/wire/index.ts";
import { SUBJECT_ADDRESS } from "./bgp-cases.ts";

const RETRY_MS = 200;
const KEEPALIVE_MS = 20_000;

export interface BenchSession {
  send(bytes: Uint8Array): void;
}

/** Resolves once it is Established; tries again as long as the subject does not want to. */
export function establish(options: {
  readonly address: string;
  readonly open: Uint8Array;
  readonly onMessage: (type: number, message: Uint8Array) => void;
  readonly keepaliveMs?: number;
}): Promise<BenchSession> {
  const { address, open, onMessage, keepaliveMs = KEEPALIVE_MS } = options;
  return new Promise((resolve) => {
    const dial = () => {
      const framer = new Framer();
      let established = false;
      let ticker: NodeJS.Timeout | undefined;
      const socket: Socket = connect({ host: SUBJECT_ADDRESS, port: 179, localAddress: address });
      socket.setNoDelay(true);
      socket.on("connect", () => socket.write(open));
      socket.on("error", () => undefined);
      socket.on("close", () => {
        clearInterval(ticker);
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
            resolve({ send: (bytes) => void socket.write(bytes) });
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
