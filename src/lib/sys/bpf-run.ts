/** Runs a loaded BPF program on a packet that never was on any device (BPF_PROG_TEST_RUN). */

import koffi from "koffi";
import { checkBpf, libbpf } from "./bpf-library.ts";

/** struct bpf_test_run_opts, up to and with `batch_size`. */
const OPTIONS_BYTES = 80;
/** What a program may make a packet longer by. */
const HEADROOM_BYTES = 256;

export interface BpfRun {
  /** What the program answered: TC_ACT_* of a classifier; signed. */
  readonly result: number;
  /** The frame as the program left it. */
  readonly data: Buffer;
  /** Mean time of one run. */
  readonly durationNs: number;
}

/** `data` is a frame from its Ethernet header on; the kernel takes it as one from the loopback device. */
export function runBpfProgram(
  program: number,
  data: Uint8Array,
  options: { readonly repeat?: number } = {},
): BpfRun {
  const out = Buffer.alloc(data.length + HEADROOM_BYTES);
  const bytes = Buffer.alloc(OPTIONS_BYTES);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeBigUInt64LE(koffi.address(data), 8);
  bytes.writeBigUInt64LE(koffi.address(out), 16);
  bytes.writeUInt32LE(data.length, 24);
  bytes.writeUInt32LE(out.length, 28);
  bytes.writeInt32LE(options.repeat ?? 1, 60);
  checkBpf(libbpf().run(program, bytes), "bpf_prog_test_run_opts", `BPF program (fd ${program})`);
  return {
    result: bytes.readInt32LE(56),
    data: out.subarray(0, bytes.readUInt32LE(28)),
    durationNs: bytes.readUInt32LE(64),
  };
}
