/** A compiled BPF object, loaded into the kernel: its programs and maps live as long as it is open or attached. */

import koffi from "koffi";
import { SwitchyardError } from "../errors.ts";
import { checkBpf, libbpf, type Pointer } from "./bpf-library.ts";
import { BpfMap } from "./bpf-map.ts";
import { errnoText } from "./system-error.ts";

const BPF_PROG_TYPE_SCHED_CLS = 3;
const LOG_BYTES = 256 * 1024;
/** How much of the verifier's log an error shows; its end says what is wrong. */
const LOG_SHOWN = 2000;

const openOptions = koffi.struct({
  sz: "size_t",
  object_name: "void *",
  relaxed_maps: "bool",
  pin_root_path: "void *",
  attach_prog_fd: "uint32_t",
  kconfig: "void *",
  btf_custom_path: "void *",
  kernel_log_buf: "void *",
  kernel_log_size: "size_t",
  kernel_log_level: "uint32_t",
});

export interface BpfObjectOptions {
  /** The .bpf.o file. */
  readonly path: string;
  /** Its tc programs (BPF_PROG_TYPE_SCHED_CLS). */
  readonly classifiers: readonly string[];
  /** Its maps. */
  readonly maps: readonly string[];
  /** Maps by name that the programs shall use instead of new ones; must have the same shape. */
  readonly reuse?: ReadonlyMap<string, BpfMap>;
}

export class BpfObject {
  readonly maps: ReadonlyMap<string, BpfMap>;
  readonly #programs: ReadonlyMap<string, number>;
  #object: Pointer;

  private constructor(
    object: Pointer,
    maps: ReadonlyMap<string, BpfMap>,
    programs: ReadonlyMap<string, number>,
  ) {
    this.#object = object;
    this.maps = maps;
    this.#programs = programs;
  }

  /** @throws SwitchyardError BPF_LOAD_FAILED with the verifier's last words. */
  static load(options: BpfObjectOptions): BpfObject {
    const { path } = options;
    const bpf = libbpf();
    const log = koffi.alloc("char", LOG_BYTES);
    // Not every failure writes a log.
    koffi.encode(log, "uint8_t", 0);
    let object: Pointer = null;
    try {
      object = open(path, log);
      for (const name of options.classifiers) {
        const program = bpf.findProgram(object, name);
        if (!program) throw lacks(path, `program ${name}`);
        checkBpf(
          bpf.programSetType(program, BPF_PROG_TYPE_SCHED_CLS),
          "bpf_program__set_type",
          name,
        );
      }
      for (const [name, map] of options.reuse ?? []) {
        const own = bpf.findMap(object, name);
        if (!own) throw lacks(path, `map ${name}`);
        checkBpf(bpf.mapReuseFd(own, map.fd), "bpf_map__reuse_fd", `BPF map ${name}`);
      }
      const answer: number = bpf.objectLoad(object);
      if (answer < 0) {
        const text = (koffi.decode(log, "char", -1) as string).trim().slice(-LOG_SHOWN);
        throw new SwitchyardError(
          "BPF_LOAD_FAILED",
          `the kernel does not load ${path}: ${errnoText(-answer)}${text ? `\n${text}` : ""}`,
          { details: { path, errno: -answer } },
        );
      }
      return new BpfObject(object, mapsOf(object, options), programsOf(object, options));
    } catch (error) {
      if (object) bpf.objectClose(object);
      throw error;
    } finally {
      koffi.free(log);
    }
  }

  /** The descriptor of a classifier, valid until {@link close}. */
  program(name: string): number {
    const fd = this.#programs.get(name);
    if (fd === undefined) throw new RangeError(`the BPF object was loaded without ${name}`);
    return fd;
  }

  map(name: string): BpfMap {
    const map = this.maps.get(name);
    if (!map) throw new RangeError(`the BPF object was loaded without the map ${name}`);
    return map;
  }

  /** Gives up this process's hold; attached programs and their maps live on. */
  close(): void {
    if (!this.#object) return;
    libbpf().objectClose(this.#object);
    this.#object = null;
  }
}

function open(path: string, log: unknown): Pointer {
  const opts = koffi.alloc(openOptions, 1);
  try {
    koffi.encode(opts, openOptions, {
      sz: koffi.sizeof(openOptions),
      object_name: null,
      relaxed_maps: false,
      pin_root_path: null,
      attach_prog_fd: 0,
      kconfig: null,
      btf_custom_path: null,
      kernel_log_buf: log,
      kernel_log_size: LOG_BYTES,
      kernel_log_level: 0,
    });
    const object: Pointer = libbpf().objectOpen(path, opts);
    if (object) return object;
    const errno = koffi.errno();
    throw new SwitchyardError(
      "BPF_LOAD_FAILED",
      `cannot read the BPF object ${path}: ${errnoText(errno)}`,
      { details: { path, errno } },
    );
  } finally {
    koffi.free(opts);
  }
}

function programsOf(object: Pointer, options: BpfObjectOptions): ReadonlyMap<string, number> {
  const bpf = libbpf();
  return new Map(
    options.classifiers.map((name) => [
      name,
      checkBpf(bpf.programFd(bpf.findProgram(object, name)), "bpf_program__fd", name),
    ]),
  );
}

/** Their descriptors belong to the object, which closes them. */
function mapsOf(object: Pointer, options: BpfObjectOptions): ReadonlyMap<string, BpfMap> {
  return new Map(
    options.maps.map((name) => {
      const fd: number = libbpf().findMapFd(object, name);
      if (fd < 0) throw lacks(options.path, `map ${name}`);
      return [name, new BpfMap(fd)];
    }),
  );
}

function lacks(path: string, what: string): SwitchyardError {
  return new SwitchyardError("BPF_LOAD_FAILED", `the BPF object ${path} has no ${what}`);
}
