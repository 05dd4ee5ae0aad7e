/**
 * Classifiers on a device's clsact qdisc, through libbpf. Everything here acts in the network
 * namespace the calling thread is in.
 *
 * A filter is named by (device, direction, priority, handle): with its own pair of numbers an owner
 * never meets another's filters.
 */

import { checkBpf, libbpf } from "./bpf-library.ts";
import { errnoNumbers } from "./system-error.ts";

export type TcDirection = "ingress" | "egress";

export interface TcDevice {
  /** Interface index. */
  readonly device: number;
  readonly direction: TcDirection;
}

export interface TcFilter extends TcDevice {
  readonly priority: number;
  readonly handle: number;
}

const BPF_TC_INGRESS = 1;
const BPF_TC_EGRESS = 2;
const BPF_TC_F_REPLACE = 1;

/** struct bpf_tc_hook: size_t sz; int ifindex; enum attach_point; u32 parent. */
function hook(device: number, attachPoint: number): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeInt32LE(device, 8);
  bytes.writeUInt32LE(attachPoint, 12);
  return bytes;
}

function filterHook(filter: TcDevice): Buffer {
  return hook(filter.device, filter.direction === "ingress" ? BPF_TC_INGRESS : BPF_TC_EGRESS);
}

/** struct bpf_tc_opts: size_t sz; int prog_fd; u32 flags, prog_id, handle, priority. */
function options(filter: TcFilter, program?: number): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32LE(bytes.length, 0);
  if (program !== undefined) {
    bytes.writeInt32LE(program, 8);
    bytes.writeUInt32LE(BPF_TC_F_REPLACE, 12);
  }
  bytes.writeUInt32LE(filter.handle, 20);
  bytes.writeUInt32LE(filter.priority, 24);
  return bytes;
}

function describe(filter: TcFilter): string {
  return `${filter.direction} of device ${filter.device} (priority ${filter.priority})`;
}

/** Makes a clsact qdisc. False if the device has one already (or `ingress`, which serves as well). */
export function createClsact(device: number): boolean {
  const answer: number = libbpf().hookCreate(hook(device, BPF_TC_INGRESS | BPF_TC_EGRESS));
  if (answer === -errnoNumbers.EEXIST) return false;
  checkBpf(answer, "bpf_tc_hook_create", `device ${device}`);
  return true;
}

/** Removes the clsact qdisc with every filter on it, whoever's they are. */
export function deleteClsact(device: number): void {
  const answer: number = libbpf().hookDestroy(hook(device, BPF_TC_INGRESS | BPF_TC_EGRESS));
  if (isAbsent(answer)) return;
  checkBpf(answer, "bpf_tc_hook_destroy", `device ${device}`);
}

/** Attaches a program (by descriptor), replacing in one step what stands at the same place. */
export function attachTcFilter(filter: TcFilter, program: number): void {
  checkBpf(
    libbpf().attach(filterHook(filter), options(filter, program)),
    "bpf_tc_attach",
    describe(filter),
  );
}

/** Id of the program that stands there; `undefined` if there is none, or no qdisc, or no device. */
export function queryTcFilter(filter: TcFilter): number | undefined {
  const opts = options(filter);
  const answer: number = libbpf().query(filterHook(filter), opts);
  if (isAbsent(answer)) return undefined;
  checkBpf(answer, "bpf_tc_query", describe(filter));
  return opts.readUInt32LE(16);
}

/** False if there was none. */
export function detachTcFilter(filter: TcFilter): boolean {
  const answer: number = libbpf().detach(filterHook(filter), options(filter));
  if (isAbsent(answer)) return false;
  checkBpf(answer, "bpf_tc_detach", describe(filter));
  return true;
}

/** Without a clsact qdisc the kernel answers EINVAL ("Parent Qdisc doesn't exists"). */
function isAbsent(answer: number): boolean {
  const { ENOENT, ENODEV, EINVAL } = errnoNumbers;
  return answer === -ENOENT || answer === -ENODEV || answer === -EINVAL;
}
