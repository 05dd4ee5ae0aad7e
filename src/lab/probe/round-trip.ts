/**
 * Round trips of one byte, both ends in one thread: each send runs the whole path in the kernel
 * before it returns, so the figure is the path's cost on one CPU, without any scheduler in it.
 */

import { ipAddress } from "../../lib/index.ts";
import {
  closeFd,
  openUdpSocket,
  receiveFd,
  sendFd,
  waitReadableSync,
} from "../../lib/sys/index.ts";
import type { Endpoint } from "./types.ts";

export interface RoundTrip {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly count: number;
}

export interface RoundTripOptions {
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** 2,000 unless told; blocks the thread for about 30 us each. */
  readonly count?: number;
}

const PORT = 9001;
const ANSWER_WITHIN_MS = 1000;
const WARM_UP = 200;

/** @throws RangeError if a byte does not come back in time: the path does not carry it. */
export function measureRoundTrip({ from, to, count = 2000 }: RoundTripOptions): RoundTrip {
  const a = { address: ipAddress(from.address), port: PORT };
  const b = { address: ipAddress(to.address), port: PORT };
  const near = openUdpSocket({ namespace: from.namespace, ...a, peer: b });
  const far = openUdpSocket({ namespace: to.namespace, ...b, peer: a });
  try {
    const byte = new Uint8Array(1);
    const samples = new Float64Array(count);
    for (let i = -WARM_UP; i < count; i++) {
      const startMs = performance.now();
      hop(near, far, byte);
      hop(far, near, byte);
      if (i >= 0) samples[i] = (performance.now() - startMs) * 1000;
    }
    samples.sort();
    const at = (share: number) =>
      Math.round((samples[Math.floor(share * (count - 1))] ?? 0) * 10) / 10;
    return { p50Us: at(0.5), p99Us: at(0.99), count };
  } finally {
    closeFd(near);
    closeFd(far);
  }
}

function hop(from: number, to: number, byte: Uint8Array): void {
  sendFd(from, byte);
  while (receiveFd(to, byte) === undefined) {
    if (!waitReadableSync(to, ANSWER_WITHIN_MS))
      throw new RangeError("a probe of one byte did not arrive");
  }
}
