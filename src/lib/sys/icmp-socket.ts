/**
 * Raw ICMP sockets of one local address: what the kernels of other hosts answer by themselves. They get a copy
 * of every ICMP packet to that address; a filter leaves answers and errors. Needs CAP_NET_RAW.
 */

import { familyOf, formatAddress, type IpAddress } from "../address.ts";
import { closeFd } from "./file-descriptor.ts";
import { lastErrno, libc } from "./libc.ts";
import { withNamespace } from "./namespace.ts";
import { AF_INET, AF_INET6, decodeSocketAddress, encodeSocketAddress } from "./socket-address.ts";
import { setPathMtuDiscovery, setReceiveBuffer } from "./socket-options.ts";
import { check, type ErrnoName, errnoName, errnoNumbers, errnoText } from "./system-error.ts";

const SOCK_RAW_NONBLOCK_CLOEXEC = 3 | 0o4000 | 0o2000000;
const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const SOL_RAW = 255;
/** One bit per type that is not wanted: all but echo reply, unreachable, time exceeded. */
const ICMP_FILTER = 1;
const ICMP_WANTED = [0, 3, 11];
const ICMPV6_FILTER = 1;
/** Unreachable, packet too big, time exceeded, echo reply. */
const ICMPV6_WANTED = [1, 2, 3, 129];
const MSG_DONTWAIT = 0x40;
const SIOCGSTAMPNS = 0x8907;
const CLOCK_REALTIME = 0;

export interface IcmpSocketOptions {
  /** Where it sends from, and what it receives packets to. */
  readonly address: IpAddress;
  /** Path of a network namespace; the calling thread's own unless told. */
  readonly namespace?: string;
  readonly receiveBufferBytes: number;
}

/** A bound, non-blocking socket that sends with DF set. IPv4 packets come with their IP header, IPv6 ones without. */
export function openIcmpSocket(options: IcmpSocketOptions): number {
  const { address, namespace, receiveBufferBytes } = options;
  const family = familyOf(address);
  const [domain, protocol] = family === 4 ? [AF_INET, IPPROTO_ICMP] : [AF_INET6, IPPROTO_ICMPV6];
  const make = () => libc.socket(domain, SOCK_RAW_NONBLOCK_CLOEXEC, protocol);
  const made = namespace === undefined ? make() : withNamespace(namespace, make);
  const fd = check(made, "socket", "raw ICMP");
  try {
    const level = family === 4 ? SOL_RAW : IPPROTO_ICMPV6;
    const option = family === 4 ? ICMP_FILTER : ICMPV6_FILTER;
    const blocked = family === 4 ? filter(ICMP_WANTED, 1) : filter(ICMPV6_WANTED, 8);
    const result = libc.setsockopt(fd, level, option, blocked, blocked.byteLength);
    check(result, "setsockopt(ICMP_FILTER)", `fd ${fd}`);
    setPathMtuDiscovery(fd, "probe", family);
    setReceiveBuffer(fd, receiveBufferBytes);
    const bytes = encodeSocketAddress({ address, port: 0 });
    check(libc.bind(fd, bytes, bytes.length), "bind", formatAddress(address));
    // Asking once makes the kernel stamp packets from now on; there is nothing to tell yet.
    libc.ioctl(fd, SIOCGSTAMPNS, stampBytes);
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

function filter(wanted: readonly number[], words: number): Int32Array {
  const blocked = new Int32Array(words).fill(-1);
  for (const type of wanted) blocked[type >> 5]! &= ~(1 << (type & 31));
  return blocked;
}

/** Why a packet could not be sent. */
export interface SendRefusal {
  readonly errno: ErrnoName | string;
  readonly text: string;
}

/** sendto(2) without waiting; undefined: it was sent. */
export function sendDatagramTo(
  fd: number,
  data: Uint8Array,
  to: { readonly address: IpAddress; readonly port: number },
): SendRefusal | undefined {
  const address = encodeSocketAddress(to);
  if (libc.sendto(fd, data, data.length, MSG_DONTWAIT, address, address.length) !== -1) {
    return undefined;
  }
  const errno = lastErrno();
  return { errno: errnoName(errno), text: errnoText(errno) };
}

export interface ReceivedIcmp {
  readonly bytes: number;
  readonly from: IpAddress;
  /** How long ago the kernel took it from the network, in microseconds; 0 if it does not say. */
  readonly agoUs: number;
}

const sender = new Uint8Array(28);
const senderLength = new Int32Array(1);
const stamp = new BigInt64Array(2);
const stampBytes = new Uint8Array(stamp.buffer);

/** The next packet, into `buffer`; undefined if none is there. */
export function receiveIcmp(fd: number, buffer: Uint8Array): ReceivedIcmp | undefined {
  for (;;) {
    senderLength[0] = sender.length;
    const count = libc.recvfrom(fd, buffer, buffer.length, MSG_DONTWAIT, sender, senderLength);
    if (count === -1) {
      const errno = lastErrno();
      if (errno === errnoNumbers.EAGAIN || errno === errnoNumbers.EINTR) return undefined;
      check(-1, "recvfrom", `fd ${fd}`);
    }
    const from = decodeSocketAddress(sender.subarray(0, senderLength[0]));
    if (from) return { bytes: count, from: from.address, agoUs: receivedAgoUs(fd) };
  }
}

/** Of the last packet that was received. The wall may be set meanwhile: then nothing is known. */
function receivedAgoUs(fd: number): number {
  if (libc.ioctl(fd, SIOCGSTAMPNS, stampBytes) === -1) return 0;
  const thenNs = stamp[0]! * 1_000_000_000n + stamp[1]!;
  if (libc.clock_gettime(CLOCK_REALTIME, stampBytes) === -1) return 0;
  const agoUs = Number(stamp[0]! * 1_000_000_000n + stamp[1]! - thenNs) / 1000;
  return agoUs >= 0 && agoUs < 60_000_000 ? agoUs : 0;
}
