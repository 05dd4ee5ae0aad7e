/**
 * TCP segments whose checksums no device has touched, by a raw socket: small ones and full-size ones in turn,
 * counted by their answers. Where these pass and connections do not, the offload of checksums is at fault.
 *
 * Half are SYNs, which pass filters that let connections begin. A SYN-ACK's checksum is left to the other side's
 * device, so half are ACKs of no connection: over IPv4 the kernel computes the RST that answers them itself
 * (ip_send_unicast_reply). The host resets each half-open connection, as it knows nothing of it.
 */

import { randomInt } from "node:crypto";
import { errorText, isIpv4, sleep } from "../lib/index.ts";
import {
  closeFd,
  openRawSocket,
  receiveFd,
  sendFd,
  setPathMtuDiscovery,
} from "../lib/sys/index.ts";
import type { ProbeAskerOptions } from "./asker.ts";
import { readAnswer, segmentOf } from "./segment.ts";

const IPPROTO_TCP = 6;
const SEGMENTS = 16;
const BETWEEN_MS = 10;
const ANSWERS_WITHIN_MS = 500;
/** Takes copies of all TCP between both addresses; we empty it every few milliseconds. */
const LARGEST_PACKET_BYTES = 65_535;

export interface SoftwareSegments {
  readonly sent: number;
  readonly received: number;
  readonly error?: string;
}

/** `packetBytes`: the largest IP packet that passes. Never rejects. */
export async function sendSoftwareSegments(
  options: ProbeAskerOptions & { readonly packetBytes: number },
): Promise<SoftwareSegments> {
  const { address, clock, namespace, packetBytes, peer } = options;
  const family = isIpv4(address) ? 4 : 6;
  const small = 20;
  const large = packetBytes - (family === 4 ? 20 : 40);
  const buffer = new Uint8Array(LARGEST_PACKET_BYTES);
  /** By source port, the number that its answer echoes. */
  const waiting = new Map<number, number>();
  let sent = 0;
  let received = 0;
  let fd: number | undefined;
  const take = (socket: number) => {
    for (let n = 0; n < 64; n++) {
      const length = receiveFd(socket, buffer);
      if (length === undefined) return;
      const answer = readAnswer(buffer.subarray(0, length), family);
      if (answer?.fromPort !== peer.port) continue;
      if (waiting.get(answer.toPort) !== answer.echo) continue;
      waiting.delete(answer.toPort);
      received++;
    }
  };
  try {
    fd = openRawSocket({
      ...{ address, peer: peer.address, protocol: IPPROTO_TCP },
      ...(namespace !== undefined && { namespace }),
      prepare: (made) => setPathMtuDiscovery(made, "probe", family),
    });
    const firstPort = randomInt(20_000, 30_000);
    for (let n = 0; n < SEGMENTS; n++) {
      const port = firstPort + n;
      const echo = randomInt(1, 2 ** 31);
      const bytes = n % 2 === 0 ? small : large;
      const kind = n % 4 < 2 ? "syn" : "ack";
      waiting.set(port, echo);
      if (sendFd(fd, segmentOf({ from: { address, port }, to: peer, kind, echo, bytes }))) sent++;
      await sleep(clock, BETWEEN_MS);
      take(fd);
    }
    const untilMs = clock.monotonicMs() + ANSWERS_WITHIN_MS;
    while (received < sent && clock.monotonicMs() < untilMs) {
      await sleep(clock, BETWEEN_MS);
      take(fd);
    }
    return { sent, received };
  } catch (error) {
    return { sent, received, error: errorText(error) };
  } finally {
    if (fd !== undefined) closeFd(fd);
  }
}
