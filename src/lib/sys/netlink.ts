/** AF_NETLINK sockets: datagrams to and from the kernel, whose port is 0. */

import { closeFd } from "./file-descriptor.ts";
import { lastErrno, libc } from "./libc.ts";
import { withNamespace } from "./namespace.ts";
import { check, errnoNumbers, systemCallError } from "./system-error.ts";

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
/** linux/netlink.h. */
export const netlinkProtocols = { route: 0, netfilter: 12 } as const;
export type NetlinkProtocol = keyof typeof netlinkProtocols;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
/** struct sockaddr_nl. */
const ADDRESS_BYTES = 12;
const OBJECT = "netlink";

/** A bound socket, and the port the kernel gave it. */
export function openNetlinkSocket(
  namespace?: string,
  protocol: NetlinkProtocol = "route",
): { fd: number; port: number } {
  const number = netlinkProtocols[protocol];
  const make = () =>
    check(libc.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, number), "socket", `NETLINK ${protocol}`);
  const fd = namespace === undefined ? make() : withNamespace(namespace, make);
  try {
    const address = new Uint8Array(ADDRESS_BYTES);
    address[0] = AF_NETLINK;
    check(libc.bind(fd, address, ADDRESS_BYTES), "bind", OBJECT);
    check(libc.getsockname(fd, address, Int32Array.of(ADDRESS_BYTES)), "getsockname", OBJECT);
    return { fd, port: new DataView(address.buffer).getUint32(4, true) };
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

export function sendNetlink(fd: number, bytes: Uint8Array): void {
  check(libc.send(fd, bytes, bytes.length, 0), "send", OBJECT);
}

/**
 * As {@link sendNetlink}, in libuv's thread pool: what the kernel does meanwhile keeps nobody waiting. The
 * bytes must stay as they are. False if nothing was sent; why, only the thread knew.
 */
export function sendNetlinkAside(fd: number, bytes: Uint8Array): Promise<boolean> {
  return new Promise((resolve, reject) => {
    libc.send.async(fd, bytes, bytes.length, 0, (error, sent) => {
      if (error) reject(error);
      else resolve(sent !== -1);
    });
  });
}

export type ReceivedDatagram =
  /** `bytes` is the datagram's full length, which may exceed the buffer. */
  | { readonly kind: "received"; readonly bytes: number; readonly port: number }
  | { readonly kind: "none" }
  /** ENOBUFS: the socket's buffer was full and messages were lost. */
  | { readonly kind: "overrun" };

const NONE: ReceivedDatagram = { kind: "none" };
const OVERRUN: ReceivedDatagram = { kind: "overrun" };
const sender = new Uint8Array(ADDRESS_BYTES);
const senderView = new DataView(sender.buffer);
const senderLength = new Int32Array(1);

/** Receives one datagram without waiting. @throws SYSTEM_CALL_FAILED. */
export function receiveNetlink(fd: number, buffer: Uint8Array): ReceivedDatagram {
  for (;;) {
    senderLength[0] = ADDRESS_BYTES;
    const flags = MSG_DONTWAIT | MSG_TRUNC;
    const bytes = libc.recvfrom(fd, buffer, buffer.length, flags, sender, senderLength);
    if (bytes !== -1) return { kind: "received", bytes, port: senderView.getUint32(4, true) };
    const errno = lastErrno();
    if (errno === errnoNumbers.EAGAIN) return NONE;
    if (errno === errnoNumbers.ENOBUFS) return OVERRUN;
    if (errno !== errnoNumbers.EINTR)
      throw systemCallError({ call: "recv", object: OBJECT, errno });
  }
}
