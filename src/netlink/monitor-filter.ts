/**
 * The socket filter of a monitor that need not hear what its own process writes: route messages caused
 * by one port are dropped by the kernel before they are queued. Other messages pass, whoever caused them.
 */

import { attachSocketFilter, type FilterInstruction } from "../lib/sys/index.ts";
import { RTM_DELROUTE, RTM_NEWROUTE } from "./constants.ts";

/** BPF_LD | BPF_H | BPF_ABS and BPF_LD | BPF_W | BPF_ABS: both read big-endian. */
const LOAD_16 = 0x28;
const LOAD_32 = 0x20;
/** BPF_JMP | BPF_JEQ | BPF_K. */
const IF_EQUAL = 0x15;
/** BPF_RET | BPF_K: how many bytes to take. */
const RETURN = 0x06;
/** Offsets in struct nlmsghdr. */
const TYPE_AT = 4;
const PORT_AT = 12;

/** Attaches the filter to the socket `fd`; `port` is that of the socket that writes. */
export function ignoreRoutesWrittenBy(port: number, fd: number): void {
  const program: readonly FilterInstruction[] = [
    [LOAD_16, 0, 0, TYPE_AT],
    [IF_EQUAL, 1, 0, swapped16(RTM_NEWROUTE)],
    [IF_EQUAL, 0, 2, swapped16(RTM_DELROUTE)],
    [LOAD_32, 0, 0, PORT_AT],
    [IF_EQUAL, 1, 0, swapped32(port)],
    [RETURN, 0, 0, 0xffff_ffff],
    [RETURN, 0, 0, 0],
  ];
  attachSocketFilter(fd, program);
}

function swapped16(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}

function swapped32(value: number): number {
  return ((swapped16(value & 0xffff) << 16) | swapped16(value >>> 16)) >>> 0;
}
