/**
 * libbpf.so.1 through koffi: loaded at first use, so that a machine without it can run everything
 * that needs no BPF. libbpf's own messages to standard error are silenced; the verifier's log comes
 * back in the error instead.
 */

import koffi from "koffi";
import { errorText, SwitchyardError } from "../errors.ts";
import { systemCallError } from "./system-error.ts";

const library = "libbpf.so.1";

/** A C pointer as koffi hands it out; null or 0n if the call failed. */
export type Pointer = bigint | null;

function bind<Arguments extends readonly unknown[], Result>(
  handle: ReturnType<typeof koffi.load>,
  prototype: string,
): (...parameters: Arguments) => Result {
  return handle.func(prototype) as unknown as (...parameters: Arguments) => Result;
}

function bindAll(handle: ReturnType<typeof koffi.load>) {
  return {
    setPrint: bind<[print: null], Pointer>(handle, "void *libbpf_set_print(void *print)"),
    possibleCpus: bind<[], number>(handle, "int libbpf_num_possible_cpus(void)"),
    objectOpen: bind<[path: string, options: unknown], Pointer>(
      handle,
      "void *bpf_object__open_file(const char *path, const void *options)",
    ),
    objectLoad: bind<[object: Pointer], number>(handle, "int bpf_object__load(void *object)"),
    objectClose: bind<[object: Pointer], void>(handle, "void bpf_object__close(void *object)"),
    findMapFd: bind<[object: Pointer, name: string], number>(
      handle,
      "int bpf_object__find_map_fd_by_name(const void *object, const char *name)",
    ),
    findMap: bind<[object: Pointer, name: string], Pointer>(
      handle,
      "void *bpf_object__find_map_by_name(const void *object, const char *name)",
    ),
    findProgram: bind<[object: Pointer, name: string], Pointer>(
      handle,
      "void *bpf_object__find_program_by_name(const void *object, const char *name)",
    ),
    mapReuseFd: bind<[map: Pointer, fd: number], number>(
      handle,
      "int bpf_map__reuse_fd(void *map, int fd)",
    ),
    programSetType: bind<[program: Pointer, type: number], number>(
      handle,
      "int bpf_program__set_type(void *program, int type)",
    ),
    programFd: bind<[program: Pointer], number>(handle, "int bpf_program__fd(const void *program)"),
    mapUpdate: bind<[fd: number, key: Uint8Array, value: Uint8Array, flags: number], number>(
      handle,
      "int bpf_map_update_elem(int fd, const void *key, const void *value, uint64_t flags)",
    ),
    mapLookup: bind<[fd: number, key: Uint8Array, value: Uint8Array], number>(
      handle,
      "int bpf_map_lookup_elem(int fd, const void *key, void *value)",
    ),
    mapDelete: bind<[fd: number, key: Uint8Array], number>(
      handle,
      "int bpf_map_delete_elem(int fd, const void *key)",
    ),
    mapNextKey: bind<[fd: number, key: Uint8Array | null, next: Uint8Array], number>(
      handle,
      "int bpf_map_get_next_key(int fd, const void *key, void *next)",
    ),
    programFdById: bind<[id: number], number>(handle, "int bpf_prog_get_fd_by_id(uint32_t id)"),
    mapFdById: bind<[id: number], number>(handle, "int bpf_map_get_fd_by_id(uint32_t id)"),
    objectInfo: bind<[fd: number, info: Uint8Array, length: Uint8Array], number>(
      handle,
      "int bpf_obj_get_info_by_fd(int fd, void *info, void *length)",
    ),
    hookCreate: bind<[hook: Uint8Array], number>(handle, "int bpf_tc_hook_create(void *hook)"),
    hookDestroy: bind<[hook: Uint8Array], number>(handle, "int bpf_tc_hook_destroy(void *hook)"),
    attach: bind<[hook: Uint8Array, options: Uint8Array], number>(
      handle,
      "int bpf_tc_attach(const void *hook, void *options)",
    ),
    detach: bind<[hook: Uint8Array, options: Uint8Array], number>(
      handle,
      "int bpf_tc_detach(const void *hook, const void *options)",
    ),
    run: bind<[program: number, options: Uint8Array], number>(
      handle,
      "int bpf_prog_test_run_opts(int program, void *options)",
    ),
    query: bind<[hook: Uint8Array, options: Uint8Array], number>(
      handle,
      "int bpf_tc_query(const void *hook, void *options)",
    ),
  };
}

let loaded: ReturnType<typeof bindAll> | undefined;

/** @throws BPF_LOAD_FAILED if libbpf cannot be loaded. */
export function libbpf(): ReturnType<typeof bindAll> {
  if (loaded) return loaded;
  try {
    loaded = bindAll(koffi.load(library));
  } catch (error) {
    throw new SwitchyardError(
      "BPF_LOAD_FAILED",
      `cannot load ${library}, which runs BPF programs: ${errorText(error)}`,
      { cause: error },
    );
  }
  loaded.setPrint(null);
  return loaded;
}

/**
 * Passes a result through. Every libbpf 1.x function answers a negative errno.
 * @throws SYSTEM_CALL_FAILED if it is negative.
 */
export function checkBpf(answer: number, call: string, object: string): number {
  if (answer < 0) throw systemCallError({ call, object, errno: -answer });
  return answer;
}
