/**
 * UDP and TCP sockets as raw descriptors, made inside a network namespace. Node.js takes them over:
 * `dgram.Socket#bind({ fd })`, `net.Server#listen({ fd })`, `new net.Socket({ fd })`. A descriptor that
 * was not handed over belongs to the caller, who closes it with `closeFd`.
 */

import { type Family, familyOf, formatAddress, type IpAddress } from "../address.ts";
import { SwitchyardError } from "../errors.ts";
import { closeFd, waitForFds } from "./file-descriptor.ts";
import { lastErrno, libc } from "./libc.ts";
import { withNamespace } from "./namespace.ts";
import {
  AF_INET,
  AF_INET6,
  decodeSocketAddress,
  encodeSocketAddress,
  type SocketAddress,
} from "./socket-address.ts";
import {
  bindToDevice,
  setIntegerOption,
  setReceiveBuffer,
  setReusePort,
  setSocketMark,
} from "./socket-options.ts";
import { check, errnoNumbers, systemCallError } from "./system-error.ts";

const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_ERROR = 4;
const SOL_IPV6 = 41;
const IPV6_V6ONLY = 26;

interface SocketOptions {
  /** Path of a network namespace; the calling thread's own unless told. */
  readonly namespace?: string;
  /** SO_BINDTODEVICE. */
  readonly device?: string;
  /** SO_MARK. */
  readonly mark?: number;
  /** SO_RCVBUF, beyond the system's limit where privileges allow. */
  readonly receiveBufferBytes?: number;
  /** Called with the socket before it is bound, for further options (TCP_MD5SIG and the like). */
  readonly prepare?: (fd: number) => void;
}

export interface UdpSocketOptions extends SocketOptions {
  /** Local address; any IPv4 address unless told. */
  readonly address?: IpAddress;
  /** Local port; chosen by the kernel unless told. */
  readonly port?: number;
  /** SO_REUSEPORT. */
  readonly reusePort?: boolean;
  /** connect(2) to this peer: only its datagrams are received, and errors come back. */
  readonly peer?: SocketAddress;
}

/** A bound, non-blocking UDP socket. @throws SYSTEM_CALL_FAILED. */
export function openUdpSocket(options: UdpSocketOptions = {}): number {
  const family = familyOf(options.address ?? options.peer?.address ?? (0 as IpAddress));
  return openSocket(options, { family, type: SOCK_DGRAM }, (fd) => {
    if (options.reusePort) setReusePort(fd, true);
    if (options.address !== undefined || options.port !== undefined) {
      bindSocket(fd, { address: options.address ?? anyAddress(family), port: options.port ?? 0 });
    }
    if (options.peer) {
      const bytes = encodeSocketAddress(options.peer);
      check(libc.connect(fd, bytes, bytes.length), "connect", text(options.peer));
    } else if (options.address === undefined && options.port === undefined) {
      bindSocket(fd, { address: anyAddress(family), port: 0 });
    }
  });
}

export interface TcpListenerOptions extends SocketOptions, SocketAddress {
  /** Connections not yet accepted; 511 unless told, as Node.js. */
  readonly backlog?: number;
}

/** A listening, non-blocking TCP socket (SO_REUSEADDR; IPv6 sockets take IPv6 only). */
export function openTcpListener(options: TcpListenerOptions): number {
  const family = familyOf(options.address);
  return openSocket(options, { family, type: SOCK_STREAM }, (fd) => {
    setFlag(fd, SO_REUSEADDR, "SO_REUSEADDR");
    if (family === 6) {
      setIntegerOption(fd, { level: SOL_IPV6, option: IPV6_V6ONLY, name: "IPV6_V6ONLY" }, 1);
    }
    bindSocket(fd, options);
    check(libc.listen(fd, options.backlog ?? 511), "listen", text(options));
  });
}

/** A TCP socket neither bound nor connected, for `new net.Socket({ fd })`. @throws SYSTEM_CALL_FAILED. */
export function openTcpSocket(family: Family, options: SocketOptions = {}): number {
  return openSocket(options, { family, type: SOCK_STREAM }, () => undefined);
}

export interface ConnectTcpOptions extends SocketOptions, SocketAddress {
  readonly localAddress?: IpAddress;
  readonly localPort?: number;
  /** Gives up after this time; 10,000 unless told. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * A connected, non-blocking TCP socket. Waiting takes a thread of libuv's pool in slices of 100 ms.
 * @throws SYSTEM_CALL_FAILED (ETIMEDOUT when the time is over), or the signal's reason.
 */
export async function connectTcp(options: ConnectTcpOptions): Promise<number> {
  const { signal, timeoutMs = 10_000 } = options;
  signal?.throwIfAborted();
  const fd = startConnectTcp(options);
  try {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) {
        throw systemCallError({
          call: "connect",
          object: text(options),
          errno: errnoNumbers.ETIMEDOUT,
        });
      }
      const sliceMs = Math.ceil(Math.min(100, leftMs));
      if (await waitForFds({ writable: [fd], timeoutMs: sliceMs })) break;
      signal?.throwIfAborted();
    }
    const errno = socketError(fd);
    if (errno !== 0) throw systemCallError({ call: "connect", object: text(options), errno });
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** A TCP socket whose connect(2) is under way: it is writable when that has ended, well or not. */
export function startConnectTcp(options: Omit<ConnectTcpOptions, "timeoutMs" | "signal">): number {
  return openSocket(options, { family: familyOf(options.address), type: SOCK_STREAM }, (fd) => {
    if (options.localAddress !== undefined || options.localPort !== undefined) {
      if (options.localPort) setFlag(fd, SO_REUSEADDR, "SO_REUSEADDR");
      const address = options.localAddress ?? anyAddress(familyOf(options.address));
      bindSocket(fd, { address, port: options.localPort ?? 0 });
    }
    const bytes = encodeSocketAddress(options);
    if (libc.connect(fd, bytes, bytes.length) === -1 && lastErrno() !== errnoNumbers.EINPROGRESS) {
      check(-1, "connect", text(options));
    }
  });
}

/** accept4(2), non-blocking: the new connection, or undefined if none waits. */
export function acceptTcp(listener: number): number | undefined {
  const fd = libc.accept4(listener, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd === -1 && lastErrno() === errnoNumbers.EAGAIN) return undefined;
  return check(fd, "accept4", `fd ${listener}`);
}

export interface RawSocketOptions extends SocketOptions {
  /** IP protocol number of what is sent and received. */
  readonly protocol: number;
  readonly address: IpAddress;
  readonly peer: IpAddress;
}

/**
 * Sends what follows the IP header, as it is given, with its checksums; the kernel makes the header, and routes
 * by addresses and protocol, without ports. Receives copies of that protocol's packets between both addresses
 * (of IPv4 with their headers). CAP_NET_RAW.
 */
export function openRawSocket(options: RawSocketOptions): number {
  const { address, peer, protocol } = options;
  return openSocket(options, { family: familyOf(address), type: SOCK_RAW, protocol }, (fd) => {
    bindSocket(fd, { address, port: 0 });
    const bytes = encodeSocketAddress({ address: peer, port: 0 });
    check(libc.connect(fd, bytes, bytes.length), "connect", formatAddress(peer));
  });
}

/** The local address of an IP socket. */
export function socketAddress(fd: number): SocketAddress {
  const bytes = new Uint8Array(28);
  const length = Int32Array.of(28);
  check(libc.getsockname(fd, bytes, length), "getsockname", `fd ${fd}`);
  const address = decodeSocketAddress(bytes.subarray(0, length[0]!));
  if (address === undefined) {
    throw new SwitchyardError("INVALID_ARGUMENT", `fd ${fd} is not an IP socket`);
  }
  return address;
}

function openSocket(
  options: SocketOptions,
  kind: { readonly family: Family; readonly type: number; readonly protocol?: number },
  setUp: (fd: number) => void,
): number {
  const make = () => {
    const domain = kind.family === 4 ? AF_INET : AF_INET6;
    return libc.socket(domain, kind.type | SOCK_NONBLOCK | SOCK_CLOEXEC, kind.protocol ?? 0);
  };
  const { namespace } = options;
  const made = namespace === undefined ? make() : withNamespace(namespace, make);
  const fd = check(made, "socket", namespace ?? "the own network namespace");
  try {
    if (options.device !== undefined) bindToDevice(fd, options.device);
    if (options.mark !== undefined) setSocketMark(fd, options.mark);
    if (options.receiveBufferBytes !== undefined) setReceiveBuffer(fd, options.receiveBufferBytes);
    options.prepare?.(fd);
    setUp(fd);
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

function bindSocket(fd: number, address: SocketAddress): void {
  const bytes = encodeSocketAddress(address);
  check(libc.bind(fd, bytes, bytes.length), "bind", text(address));
}

function setFlag(fd: number, option: number, name: string): void {
  setIntegerOption(fd, { level: SOL_SOCKET, option, name }, 1);
}

function socketError(fd: number): number {
  const value = Int32Array.of(0);
  check(
    libc.getsockopt(fd, SOL_SOCKET, SO_ERROR, value, Int32Array.of(4)),
    "getsockopt",
    `fd ${fd}`,
  );
  return value[0]!;
}

function anyAddress(family: Family): IpAddress {
  return (family === 4 ? 0 : 0n) as IpAddress;
}

function text({ address, port }: SocketAddress): string {
  return typeof address === "number"
    ? `${formatAddress(address)}:${port}`
    : `[${formatAddress(address)}]:${port}`;
}
