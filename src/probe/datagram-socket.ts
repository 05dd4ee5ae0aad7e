/** UDP sockets as Node.js serves them, with the options it has no call for. */

import { createSocket, type Socket } from "node:dgram";
import type { IpAddress } from "../lib/index.ts";
import { isIpv4 } from "../lib/index.ts";
import { closeFd, openUdpSocket, setPathMtuDiscovery, withoutChecksum } from "../lib/sys/index.ts";

/** Packets that come while the process does something else are not lost: a second of thousands. */
const RECEIVE_BUFFER_BYTES = 4 << 20;

export interface DatagramSocketOptions {
  readonly address: IpAddress;
  /** Chosen by the kernel unless told. */
  readonly port?: number;
  /** Path of a network namespace; the own unless told. */
  readonly namespace?: string;
}

/**
 * A bound socket that sends with DF set, whatever the kernel has learned of the path: packets larger than
 * the device are refused (EMSGSIZE), all others leave as they are.
 */
export async function openDatagramSocket(options: DatagramSocketOptions): Promise<Socket> {
  const { address, namespace, port } = options;
  const fd = openUdpSocket({
    address,
    port: port ?? 0,
    ...(namespace !== undefined && { namespace }),
    receiveBufferBytes: RECEIVE_BUFFER_BYTES,
    prepare: (made) => {
      setPathMtuDiscovery(made, "probe", isIpv4(address) ? 4 : 6);
      // What is sent is authenticated anyway; and UDP shall pass where an offload spoils checksums, so
      // that it is told from a filter. IPv6 forbids UDP without (RFC 8200 section 8.1).
      if (isIpv4(address)) withoutChecksum(made);
    },
  });
  const socket = createSocket(isIpv4(address) ? "udp4" : "udp6");
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind({ fd }, () => {
        socket.off("error", reject);
        resolve();
      });
    });
    return socket;
  } catch (error) {
    closeFd(fd);
    socket.close();
    throw error;
  }
}
