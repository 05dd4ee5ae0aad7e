/** Socket options Node.js has no call for, on raw descriptors. */

import type { Family, IpAddress } from "../address.ts";
import { SwitchyardError } from "../errors.ts";
import { lastErrno, libc } from "./libc.ts";
import { encodeSocketAddress } from "./socket-address.ts";
import { check, errnoNumbers } from "./system-error.ts";

const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_NO_CHECK = 11;
const SO_REUSEPORT = 15;
const SO_BINDTODEVICE = 25;
const SO_RCVBUFFORCE = 33;
const SO_MARK = 36;
const SOL_IP = 0;
const IP_TTL = 2;
const IP_MTU_DISCOVER = 10;
const IP_MTU = 14;
const IP_MINTTL = 21;
const SOL_IPV6 = 41;
const IPV6_UNICAST_HOPS = 16;
const IPV6_MTU_DISCOVER = 23;
const IPV6_MINHOPCOUNT = 73;
const SOL_TCP = 6;
const TCP_INFO = 11;
const TCP_MD5SIG = 14;
const TCP_SAVE_SYN = 27;
const TCP_SAVED_SYN = 28;

/** setsockopt(2) of an `int`. `name` is for the error: `SO_MARK`. */
export function setIntegerOption(
  fd: number,
  option: { readonly level: number; readonly option: number; readonly name: string },
  value: number,
): void {
  const result = libc.setsockopt(fd, option.level, option.option, Int32Array.of(value), 4);
  check(result, `setsockopt(${option.name}=${value})`, `fd ${fd}`);
}

function getBytes(
  fd: number,
  option: { level: number; option: number; name: string },
  size: number,
) {
  const value = new Uint8Array(size);
  const length = Int32Array.of(size);
  const result = libc.getsockopt(fd, option.level, option.option, value, length);
  check(result, `getsockopt(${option.name})`, `fd ${fd}`);
  return new DataView(value.buffer, 0, length[0]!);
}

/** The receive buffer: beyond net.core.rmem_max where privileges allow, else as large as they do. */
export function setReceiveBuffer(fd: number, bytes: number): void {
  const value = Int32Array.of(bytes);
  if (libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, value, 4) === 0) return;
  if (lastErrno() !== errnoNumbers.EPERM) check(-1, "setsockopt(SO_RCVBUFFORCE)", `fd ${fd}`);
  setIntegerOption(fd, { level: SOL_SOCKET, option: SO_RCVBUF, name: "SO_RCVBUF" }, bytes);
}

/** UDP over IPv4 is sent with no checksum (RFC 768: zero). */
export function withoutChecksum(fd: number): void {
  setIntegerOption(fd, { level: SOL_SOCKET, option: SO_NO_CHECK, name: "SO_NO_CHECK" }, 1);
}

/** SO_REUSEPORT: sockets of one user that all have it may be bound to what each of them covers. */
export function setReusePort(fd: number, shared: boolean): void {
  const option = { level: SOL_SOCKET, option: SO_REUSEPORT, name: "SO_REUSEPORT" };
  setIntegerOption(fd, option, shared ? 1 : 0);
}

export function bindToDevice(fd: number, device: string): void {
  const name = new TextEncoder().encode(`${device}\0`);
  const result = libc.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, name.length);
  check(result, `setsockopt(SO_BINDTODEVICE=${device})`, `fd ${fd}`);
}

/** The firewall mark of every packet sent, which policy rules see. */
export function setSocketMark(fd: number, mark: number): void {
  setIntegerOption(fd, { level: SOL_SOCKET, option: SO_MARK, name: "SO_MARK" }, mark);
}

/** An IP socket; most options have a number for each family. */
export interface IpSocket {
  readonly fd: number;
  readonly family: Family;
}

/** Time to live, or hop limit, of what is sent. */
export function setTimeToLive({ fd, family }: IpSocket, ttl: number): void {
  const option =
    family === 4
      ? { level: SOL_IP, option: IP_TTL, name: "IP_TTL" }
      : { level: SOL_IPV6, option: IPV6_UNICAST_HOPS, name: "IPV6_UNICAST_HOPS" };
  setIntegerOption(fd, option, ttl);
}

/** Drops TCP segments that arrive with a smaller time to live (RFC 5082); UDP knows no such thing. */
export function setMinimumTimeToLive({ fd, family }: IpSocket, ttl: number): void {
  const option =
    family === 4
      ? { level: SOL_IP, option: IP_MINTTL, name: "IP_MINTTL" }
      : { level: SOL_IPV6, option: IPV6_MINHOPCOUNT, name: "IPV6_MINHOPCOUNT" };
  setIntegerOption(fd, option, ttl);
}

/**
 * IP_MTU_DISCOVER and its like of IPv6: `do` sets DF and refuses what exceeds the path MTU (EMSGSIZE), `probe`
 * sets DF and sends whatever fits the device, `dont` lets it be fragmented.
 */
export function setPathMtuDiscovery(
  fd: number,
  mode: "dont" | "want" | "do" | "probe",
  family: Family = 4,
): void {
  const value = ["dont", "want", "do", "probe"].indexOf(mode);
  const option =
    family === 4
      ? { level: SOL_IP, option: IP_MTU_DISCOVER, name: "IP_MTU_DISCOVER" }
      : { level: SOL_IPV6, option: IPV6_MTU_DISCOVER, name: "IPV6_MTU_DISCOVER" };
  setIntegerOption(fd, option, value);
}

/** The path MTU the kernel knows towards the peer of a connected IPv4 socket, in bytes. */
export function pathMtu(fd: number): number {
  return getBytes(fd, { level: SOL_IP, option: IP_MTU, name: "IP_MTU" }, 4).getInt32(0, true);
}

/** A listener whose connections remember the packet they began with, for {@link initialTimeToLive}. */
export function saveFirstPackets(listener: number): void {
  const option = { level: SOL_TCP, option: TCP_SAVE_SYN, name: "TCP_SAVE_SYN" };
  setIntegerOption(listener, option, 1);
}

/** The time to live with which an accepted connection's SYN arrived; can be asked for once. */
export function initialTimeToLive({ fd, family }: IpSocket): number {
  // The packet's headers, from the IP header on.
  const packet = getBytes(
    fd,
    { level: SOL_TCP, option: TCP_SAVED_SYN, name: "TCP_SAVED_SYN" },
    256,
  );
  return packet.getUint8(family === 4 ? 8 : 7);
}

/** RFC 2385: segments from and to `peer` are signed with `key` (1 to 80 bytes); an empty key removes it. */
export function setTcpMd5Key(fd: number, peer: IpAddress, key: string): void {
  const bytes = new TextEncoder().encode(key);
  if (bytes.length > 80) {
    throw new SwitchyardError("INVALID_ARGUMENT", "a TCP MD5 key has at most 80 bytes");
  }
  // struct tcp_md5sig: sockaddr_storage, u8 flags, u8 prefix length, u16 key length, u32 ifindex, key.
  const option = new Uint8Array(128 + 8 + 80);
  option.set(encodeSocketAddress({ address: peer, port: 0 }));
  new DataView(option.buffer).setUint16(130, bytes.length, true);
  option.set(bytes, 136);
  const result = libc.setsockopt(fd, SOL_TCP, TCP_MD5SIG, option, option.length);
  // ENOENT: there was none to remove.
  if (result === -1 && bytes.length === 0 && lastErrno() === errnoNumbers.ENOENT) return;
  check(result, "setsockopt(TCP_MD5SIG)", `fd ${fd}`);
}

const tcpStates = [
  "UNKNOWN",
  "ESTABLISHED",
  "SYN_SENT",
  "SYN_RECV",
  "FIN_WAIT1",
  "FIN_WAIT2",
  "TIME_WAIT",
  "CLOSE",
  "CLOSE_WAIT",
  "LAST_ACK",
  "LISTEN",
  "CLOSING",
  "NEW_SYN_RECV",
] as const;

export interface TcpInfo {
  readonly state: (typeof tcpStates)[number];
  /** Segments sent again, over the connection's life. */
  readonly totalRetransmits: number;
  /** Smoothed round-trip time, microseconds. */
  readonly rttUs: number;
  /** Path MTU, bytes. */
  readonly pathMtu: number;
  /** Maximum segment size this end sends, bytes. */
  readonly sendMss: number;
}

/** struct tcp_info; offsets as in linux/tcp.h, which only ever grows at its end. */
export function tcpInfo(fd: number): TcpInfo {
  const info = getBytes(fd, { level: SOL_TCP, option: TCP_INFO, name: "TCP_INFO" }, 104);
  return {
    state: tcpStates[info.getUint8(0)] ?? "UNKNOWN",
    sendMss: info.getUint32(16, true),
    pathMtu: info.getUint32(60, true),
    rttUs: info.getUint32(68, true),
    totalRetransmits: info.getUint32(100, true),
  };
}
