/** The largest unfragmented packet a path carries, found by sending (RFC 8899's idea, one way). */

import { ipAddress } from "../../lib/index.ts";
import {
  closeFd,
  openUdpSocket,
  receiveFd,
  sendFd,
  setPathMtuDiscovery,
  waitReadableSync,
} from "../../lib/sys/index.ts";
import type { Endpoint } from "./types.ts";

const PORT = 9002;
const IP_AND_UDP_HEADERS_BYTES = 28;
/** RFC 1122 section 3.3.3: what every host must be able to take. */
const SMALLEST = 576;
const ARRIVES_WITHIN_MS = 30;

/** Bytes of the IP packet, searched up to `largest` (1500 unless told). */
export function measurePathMtu(from: Endpoint, to: Endpoint, largest = 1500): number {
  const b = { address: ipAddress(to.address), port: PORT };
  const sender = openUdpSocket({
    namespace: from.namespace,
    address: ipAddress(from.address),
    peer: b,
    // DF set, and the size decided here and not by what the kernel has learned of the path.
    prepare: (fd) => setPathMtuDiscovery(fd, "probe"),
  });
  const receiver = openUdpSocket({ namespace: to.namespace, ...b });
  const buffer = new Uint8Array(largest);
  const arrives = (size: number) => {
    const packet = buffer.subarray(0, size - IP_AND_UDP_HEADERS_BYTES);
    // The first refusal may be the ICMP error of the packet before, which the kernel reports at the
    // next send; the second is this packet's own: it does not even fit the sender's device.
    if (!sends(sender, packet) && !sends(sender, packet)) return false;
    while (waitReadableSync(receiver, ARRIVES_WITHIN_MS)) {
      const length = receiveFd(receiver, buffer);
      if (length === size - IP_AND_UDP_HEADERS_BYTES) return true;
    }
    return false;
  };
  try {
    if (!arrives(SMALLEST)) return 0;
    let fits = SMALLEST;
    let tooLarge = largest + 1;
    while (tooLarge - fits > 1) {
      const size = Math.floor((fits + tooLarge) / 2);
      if (arrives(size)) fits = size;
      else tooLarge = size;
    }
    return fits;
  } finally {
    closeFd(sender);
    closeFd(receiver);
  }
}

function sends(socket: number, packet: Uint8Array): boolean {
  try {
    return sendFd(socket, packet);
  } catch {
    return false;
  }
}
