/**
 * AF_NETLINK sockets: datagrams to and from the kernel, whose port is 0. Results are raw, so that who
 * calls decides what EINTR, ENOBUFS and the like mean, and can be tested with any of them.
 */

import { closeFd } from "./file-descriptor.ts";
import { lastErrno, libc } from "./libc.ts";
import { withNamespace } from "./namespace.ts";
import { check } from "./system-error.ts";

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
/** struct sockaddr_nl. */
const ADDRESS_BYTES = 12;

/** linux/netlink.h. */
const protocols = { route: 0, sock_diag: 4, netfilter: 12, generic: 16 } as const;

export type NetlinkProtocol = keyof typeof protocols;

/** A bound socket, and the port the kernel gave it. @throws SYSTEM_CALL_FAILED. */
export function openNetlinkSocket(
  namespace?: string,
  protocol: NetlinkProtocol = "route",
): { fd: number; port: number } {
  const object = `NETLINK_${protocol.toUpperCase()}`;
  const make = () =>
    check(libc.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocols[protocol]), "socket", object);
  const fd = namespace === undefined ? make() : withNamespace(namespace, make);
  try {
    const address = new Uint8Array(ADDRESS_BYTES);
    address[0] = AF_NETLINK;
    check(libc.bind(fd, address, ADDRESS_BYTES), "bind", object);
    check(libc.getsockname(fd, address, Int32Array.of(ADDRESS_BYTES)), "getsockname", object);
    return { fd, port: new DataView(address.buffer).getUint32(4, true) };
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** 0, or the errno. The kernel works on what is sent before the call returns. */
export function sendNetlink(fd: number, bytes: Uint8Array): number {
  return libc.send(fd, bytes, bytes.length, 0) === -1 ? lastErrno() : 0;
}

/**
 * As {@link sendNetlink}, in a thread of libuv's pool: with large routing tables the kernel may sleep in
 * it for a fifth of a second (fib_trie waits for RCU grace periods). `bytes` must not change meanwhile,
 * and the descriptor must stay open.
 */
export function sendNetlinkAside(fd: number, bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    libc.send.async(fd, bytes, bytes.length, 0, (error, sent) => {
      if (error) reject(error);
      // The reason stayed in the pool's thread. The kernel has seen nothing yet: it says it again here.
      else resolve(sent === -1 ? sendNetlink(fd, bytes) : 0);
    });
  });
}

export interface ReceivedDatagram {
  /** The datagram's full length, which may exceed the buffer; negative: the errno. */
  readonly result: number;
  /** Who sent it. */
  readonly port: number;
}

const sender = new Uint8Array(ADDRESS_BYTES);
const senderView = new DataView(sender.buffer);
const senderLength = new Int32Array(1);

/** Receives one datagram without waiting. */
export function receiveNetlink(fd: number, buffer: Uint8Array): ReceivedDatagram {
  senderLength[0] = ADDRESS_BYTES;
  const flags = MSG_DONTWAIT | MSG_TRUNC;
  const bytes = libc.recvfrom(fd, buffer, buffer.length, flags, sender, senderLength);
  if (bytes === -1) return { result: -lastErrno(), port: 0 };
  return { result: bytes, port: senderView.getUint32(4, true) };
}
