/** Sends a megabyte by TCP, with whatever offloads the host has, and measures whether and how it comes. */

import { randomBytes } from "node:crypto";
import { Socket } from "node:net";
import { errorText } from "../lib/index.ts";
import { startConnectTcp } from "../lib/sys/index.ts";
import type { ProbeAskerOptions } from "./asker.ts";
import { BULK_BYTES } from "./bulk-server.ts";
import { decodePacket, encodePacket, PROBE_HEADER_BYTES } from "./packet.ts";

const CHUNK = Buffer.alloc(64 << 10);

export interface BulkResult {
  readonly bytes: number;
  readonly completed: boolean;
  readonly tookUs: number;
  /** Longest time without progress. */
  readonly stallUs: number;
  /** Why it did not complete, where somebody said. */
  readonly error?: string;
}

/** Never rejects. */
export function sendBulk(
  options: ProbeAskerOptions & { readonly withinMs: number },
): Promise<BulkResult> {
  const { address, clock, namespace, peer, withinMs } = options;
  const startedMs = clock.monotonicMs();
  const sinceUs = (ms: number) => Math.round((clock.monotonicMs() - ms) * 1000);
  const failed = (lastMs: number, error?: string): BulkResult => ({
    bytes: BULK_BYTES,
    completed: false,
    tookUs: sinceUs(startedMs),
    stallUs: sinceUs(lastMs),
    ...(error !== undefined && { error }),
  });
  return new Promise((resolve) => {
    let socket: Socket;
    let lastMs = startedMs;
    try {
      const fd = startConnectTcp({
        ...peer,
        localAddress: address,
        ...(namespace !== undefined && { namespace }),
      });
      socket = new Socket({ fd });
    } catch (error) {
      resolve(failed(startedMs, errorText(error)));
      return;
    }
    const timer = clock.schedule(withinMs, () => settle(failed(lastMs)));
    const settle = (result: BulkResult) => {
      timer.cancel();
      socket.destroy();
      resolve(result);
    };
    socket.on("error", (error) => settle(failed(lastMs, errorText(error))));
    socket.on("close", () => settle(failed(lastMs)));
    let answer = new Uint8Array(0);
    const session = randomBytes(8).toString("hex");
    socket.on("data", (bytes: Uint8Array) => {
      answer = Buffer.concat([answer, bytes]);
      if (answer.length < PROBE_HEADER_BYTES) return;
      const stallUs = stallOf(answer, session, options);
      if (stallUs === undefined) settle(failed(lastMs, "the answer is not authentic"));
      else settle({ bytes: BULK_BYTES, completed: true, tookUs: sinceUs(startedMs), stallUs });
    });
    const { change, key, partner: receiver, self: sender } = options;
    const hello = { change, sender, receiver, session, sequence: 0, value: 0 };
    socket.write(encodePacket({ ...hello, kind: "bulk" }, key));
    let left = BULK_BYTES;
    const next = () => {
      lastMs = clock.monotonicMs();
      const chunk = CHUNK.subarray(0, left);
      left -= chunk.length;
      if (chunk.length > 0) socket.write(chunk, (error) => !error && next());
    };
    next();
  });
}

function stallOf(
  bytes: Uint8Array,
  session: string,
  { change, key, partner, self }: ProbeAskerOptions,
): number | undefined {
  const packet = decodePacket(bytes, (of) => (of === change ? key : undefined));
  if (packet?.kind !== "bulk-done" || packet.session !== session) return undefined;
  return packet.sender === partner && packet.receiver === self ? packet.value : undefined;
}
