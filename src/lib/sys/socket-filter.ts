/** SO_ATTACH_FILTER: a classic BPF program that says which datagrams a socket takes. */

import koffi from "koffi";
import { libc } from "./libc.ts";
import { check } from "./system-error.ts";

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
/** struct sock_filter: u16 code, u8 jt, u8 jf, u32 k. */
const INSTRUCTION_BYTES = 8;

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
