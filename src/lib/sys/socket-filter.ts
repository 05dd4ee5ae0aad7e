/** SO_ATTACH_FILTER: a classic BPF program that says which datagrams a socket takes. */

import koffi from "koffi";
import { libc } from "./libc.ts";
import type { IpSocket } from "./socket-options.ts";
import { check } from "./system-error.ts";

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
/** struct sock_filter: u16 code, u8 jt, u8 jf, u32 k. */
const INSTRUCTION_BYTES = 8;

const LOAD_BYTE = 0x30;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_SET = 0x45;
const RETURN = 0x06;
/** Added to an offset: it counts from the IP header (SKF_NET_OFF). */
const FROM_IP_HEADER = 0xfff00000;
const IPV4_TIME_TO_LIVE = 8;
const IPV6_HOP_LIMIT = 7;
/** Where the flags are in a TCP header, at which a filter begins. */
const TCP_FLAGS = 13;
const TCP_SYN = 2;

/** One instruction as linux/filter.h has it: operation, places to skip if true and if false, operand. */
export type FilterInstruction = readonly [code: number, jt: number, jf: number, k: number];

/** The kernel copies the program; datagrams that came before stay in the socket. */
export function attachSocketFilter(fd: number, program: readonly FilterInstruction[]): void {
  const code = Buffer.alloc(program.length * INSTRUCTION_BYTES);
  for (const [index, [operation, jt, jf, k]] of program.entries()) {
    const at = index * INSTRUCTION_BYTES;
    code.writeUInt16LE(operation, at);
    code.writeUInt8(jt, at + 2);
    code.writeUInt8(jf, at + 3);
    code.writeUInt32LE(k, at + 4);
  }
  // struct sock_fprog: u16 length, 6 bytes of padding, pointer.
  const option = Buffer.alloc(16);
  option.writeUInt16LE(program.length, 0);
  option.writeBigUInt64LE(koffi.address(code), 8);
  const result = libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, option, option.length);
  check(result, "setsockopt(SO_ATTACH_FILTER)", `fd ${fd}`);
}

/**
 * A listening TCP socket begins no more connections, and finishes those it has begun. A SYN that is dropped
 * is sent again after a second (RFC 6298), by then perhaps to another listener.
 */
export function dropHandshakes(listener: number): void {
  attachSocketFilter(listener, [
    [LOAD_BYTE, 0, 0, TCP_FLAGS],
    [JUMP_IF_SET, 0, 1, TCP_SYN],
    [RETURN, 0, 0, 0],
    [RETURN, 0, 0, 0xffffffff],
  ]);
}

/** A UDP socket takes only what comes with this time to live (RFC 5082), which UDP has no option for. */
export function acceptTimeToLive({ fd, family }: IpSocket, ttl: number): void {
  const offset = family === 4 ? IPV4_TIME_TO_LIVE : IPV6_HOP_LIMIT;
  attachSocketFilter(fd, [
    [LOAD_BYTE, 0, 0, FROM_IP_HEADER + offset],
    [JUMP_IF_EQUAL, 0, 1, ttl],
    [RETURN, 0, 0, 0xffffffff],
    [RETURN, 0, 0, 0],
  ]);
}
