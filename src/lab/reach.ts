/**
 * Is there a way from here to there and back? A TCP SYN to a port on which nobody listens: the RST that
 * comes back proves both directions, needs no program on either side and no raw socket.
 */

import { hasCode, type IpAddress } from "../lib/index.ts";
import { closeFd, connectTcp } from "../lib/sys/index.ts";

export interface ReachOptions {
  /** Path of the network namespace it starts from. */
  readonly namespace: string;
  readonly address: IpAddress;
  readonly timeoutMs: number;
}

/** tcpmux (RFC 1078): nothing listens there. */
const unusedPort = 1;

/** undefined when it is reached, else the kernel's words. */
export async function whyUnreachable(options: ReachOptions): Promise<string | undefined> {
  try {
    closeFd(await connectTcp({ ...options, port: unusedPort }));
    return undefined;
  } catch (error) {
    if (!hasCode(error, "SYSTEM_CALL_FAILED")) throw error;
    return error.details.errno === "ECONNREFUSED" ? undefined : error.message;
  }
}
