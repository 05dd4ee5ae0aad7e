/** A BPF map by its file descriptor: keys and values are bytes, laid out as the C source says. */

import { SwitchyardError } from "../errors.ts";
import { objectName, readObjectInfo } from "./bpf-info.ts";
import { checkBpf, libbpf } from "./bpf-library.ts";
import { closeFd } from "./file-descriptor.ts";
import { errnoNumbers, systemCallError } from "./system-error.ts";

export interface BpfMapInfo {
  readonly id: number;
  /** BPF_MAP_TYPE_*. */
  readonly type: number;
  readonly name: string;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly maxEntries: number;
}

const BPF_MAP_TYPE_PERCPU_HASH = 5;
const BPF_MAP_TYPE_PERCPU_ARRAY = 6;
const NO_ENTRY = -errnoNumbers.ENOENT;
/** Of struct bpf_map_info, up to and with `name`. */
const MAP_INFO_BYTES = 40;

export class BpfMap {
  readonly info: BpfMapInfo;
  #fd: number;

  /** Takes the descriptor over. */
  constructor(fd: number) {
    this.#fd = fd;
    this.info = mapInfo(fd);
  }

  /** A map that the kernel has under this id. */
  static byId(id: number): BpfMap {
    return new BpfMap(checkBpf(libbpf().mapFdById(id), "bpf_map_get_fd_by_id", `BPF map ${id}`));
  }

  get fd(): number {
    return this.#fd;
  }

  set(key: Uint8Array, value: Uint8Array): void {
    this.#checkSizes(key, value);
    const answer = libbpf().mapUpdate(this.#fd, key, value, 0);
    if (answer < 0) throw this.#error("bpf_map_update_elem", key, answer);
  }

  get(key: Uint8Array): Buffer | undefined {
    this.#checkSizes(key);
    const value = Buffer.alloc(this.#valueSpace());
    const answer = libbpf().mapLookup(this.#fd, key, value);
    if (answer === NO_ENTRY) return undefined;
    if (answer < 0) throw this.#error("bpf_map_lookup_elem", key, answer);
    return value;
  }

  /** False if there was no such key. */
  delete(key: Uint8Array): boolean {
    this.#checkSizes(key);
    const answer = libbpf().mapDelete(this.#fd, key);
    if (answer < 0 && answer !== NO_ENTRY) throw this.#error("bpf_map_delete_elem", key, answer);
    return answer !== NO_ENTRY;
  }

  /** Every entry, one after the other; exact only while nobody writes. */
  *entries(): Generator<readonly [key: Buffer, value: Buffer]> {
    let previous: Buffer | null = null;
    for (;;) {
      const key: Buffer = Buffer.alloc(this.info.keyBytes);
      const answer = libbpf().mapNextKey(this.#fd, previous, key);
      if (answer === NO_ENTRY) return;
      if (answer < 0) throw this.#error("bpf_map_get_next_key", previous ?? key, answer);
      const value = this.get(key);
      if (value) yield [key, value];
      previous = key;
    }
  }

  close(): void {
    if (this.#fd < 0) return;
    closeFd(this.#fd);
    this.#fd = -1;
  }

  /** Bytes of one lookup: a per-CPU map answers one value, rounded up to 8, per possible CPU. */
  #valueSpace(): number {
    const { type, valueBytes } = this.info;
    if (type !== BPF_MAP_TYPE_PERCPU_HASH && type !== BPF_MAP_TYPE_PERCPU_ARRAY) return valueBytes;
    const cpus = checkBpf(libbpf().possibleCpus(), "libbpf_num_possible_cpus", "this machine");
    return cpus * Math.ceil(valueBytes / 8) * 8;
  }

  /** The kernel reads and writes as many bytes as the map says, whatever the buffers hold. */
  #checkSizes(key: Uint8Array, value?: Uint8Array): void {
    const { name, keyBytes } = this.info;
    if (key.length !== keyBytes || (value && value.length !== this.#valueSpace())) {
      throw new SwitchyardError(
        "INVALID_ARGUMENT",
        `BPF map ${name} has keys of ${keyBytes} and values of ${this.#valueSpace()} bytes, ` +
          `not ${key.length} and ${value?.length ?? 0}`,
      );
    }
  }

  #error(call: string, key: Uint8Array, answer: number): SwitchyardError {
    const object = `key ${Buffer.from(key).toString("hex")} of BPF map ${this.info.name}`;
    return systemCallError({ call, object, errno: -answer });
  }
}

function mapInfo(fd: number): BpfMapInfo {
  const info = Buffer.alloc(MAP_INFO_BYTES);
  readObjectInfo(fd, "a BPF map", info);
  return {
    type: info.readUInt32LE(0),
    id: info.readUInt32LE(4),
    keyBytes: info.readUInt32LE(8),
    valueBytes: info.readUInt32LE(12),
    maxEntries: info.readUInt32LE(16),
    name: objectName(info, 24),
  };
}
