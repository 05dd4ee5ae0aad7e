/**
 * Is there a way from here to there and back? A TCP SYN to a port on which nobody listens: the RST that
 * comes back proves both directions, needs no program on either side and no raw socket.
 */

import { type Clock, hasCode, type IpAddress, sleep } from "../lib/index.ts";
import { closeFd, connectTcp } from "../lib/sys/index.ts";

export interface ReachOptions {
  /** Path of the network namespace it starts from. */
  readonly namespace: string;
  readonly address: IpAddress;
  readonly timeoutMs: number;
}

/** tcpmux (RFC 1078): nothing listens there. */
const unusedPort = 1;

const retryMs = 50;

/** Tries until it is reached (then undefined) or the time is over (then the kernel's words). */
export async function whyUnreachable(
  options: ReachOptions,
  clock: Clock,
): Promise<string | undefined> {
  const deadlineMs = clock.monotonicMs() + options.timeoutMs;
  for (;;) {
    const leftMs = Math.max(1, deadlineMs - clock.monotonicMs());
    const why = await tryOnce({ ...options, timeoutMs: leftMs });
    // A refusal such as ENETUNREACH comes at once, and passes when a route arrives.
    if (why === undefined || clock.monotonicMs() + retryMs >= deadlineMs) return why;
    await sleep(clock, retryMs);
  }
}

async function tryOnce(options: ReachOptions): Promise<string | undefined> {
  try {
    closeFd(await connectTcp({ ...options, port: unusedPort }));
    return undefined;
  } catch (error) {
    if (!hasCode(error, "SYSTEM_CALL_FAILED")) throw error;
    return error.details.errno === "ECONNREFUSED" ? undefined : error.message;
  }
}
