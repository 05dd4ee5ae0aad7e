/** What the kernel tells of a BPF program or map: struct bpf_prog_info and bpf_map_info. */

import koffi from "koffi";
import { checkBpf, libbpf } from "./bpf-library.ts";
import { closeFd } from "./file-descriptor.ts";
import { errnoNumbers } from "./system-error.ts";

/** BPF_OBJ_NAME_LEN. */
const NAME_BYTES = 16;

/** Fills `info`; the kernel writes as much of its structure as fits. */
export function readObjectInfo(fd: number, what: string, info: Buffer): void {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(info.length);
  checkBpf(libbpf().objectInfo(fd, info, length), "bpf_obj_get_info_by_fd", what);
}

/** A name of BPF_OBJ_NAME_LEN bytes, padded with zeros. */
export function objectName(info: Buffer, offset: number): string {
  const end = info.indexOf(0, offset);
  return info.toString(
    "latin1",
    offset,
    Math.min(end < 0 ? info.length : end, offset + NAME_BYTES),
  );
}

export interface BpfProgramInfo {
  readonly id: number;
  readonly name: string;
  /** The kernel's hash over the instructions, in hex: equal tags mean the same program. */
  readonly tag: string;
  readonly mapIds: readonly number[];
}

/** Of struct bpf_prog_info, up to and with `name`. */
const PROGRAM_INFO_BYTES = 80;
/** MAX_USED_MAPS of the kernel. */
const MAX_MAPS = 64;

export function bpfProgramInfo(fd: number): BpfProgramInfo {
  const info = Buffer.alloc(PROGRAM_INFO_BYTES);
  const maps = Buffer.alloc(4 * MAX_MAPS);
  info.writeUInt32LE(MAX_MAPS, 52);
  info.writeBigUInt64LE(koffi.address(maps), 56);
  readObjectInfo(fd, "a BPF program", info);
  const count = Math.min(info.readUInt32LE(52), MAX_MAPS);
  return {
    id: info.readUInt32LE(4),
    tag: info.toString("hex", 8, 16),
    name: objectName(info, 64),
    mapIds: Array.from({ length: count }, (_, index) => maps.readUInt32LE(4 * index)),
  };
}

/** The same by the id that a filter shows. `undefined` if the program is gone. */
export function bpfProgramInfoById(id: number): BpfProgramInfo | undefined {
  const fd = libbpf().programFdById(id);
  if (fd === -errnoNumbers.ENOENT) return undefined;
  checkBpf(fd, "bpf_prog_get_fd_by_id", `BPF program ${id}`);
  try {
    return bpfProgramInfo(fd);
  } finally {
    closeFd(fd);
  }
}
