/** Which backend carries IP-in-IP here: what is in use, else the kernel's module, else BPF. */

import { SwitchyardError } from "../../lib/index.ts";
import { openRouteSocket } from "../../netlink/index.ts";
import { type BackendOptions, BpfBackend, foreignDevice } from "./bpf-backend.ts";
import { KernelBackend, makeIpip } from "./kernel-backend.ts";
import type { IpipBackend } from "./types.ts";

export interface OpenIpipOptions {
  /** Path of a network namespace; the process's own unless told. */
  readonly namespace?: string;
  /** This backend or none; unless told, what stands already, else the kernel's where there is one. */
  readonly prefer?: "kernel" | "bpf";
  /** Name of the tunnel device; `tunl0` unless told. */
  readonly device?: string;
}

/**
 * Opens a backend. Asking the kernel for its module means making the (downed) device.
 * @throws PREREQUISITE_MISSING if the preferred one is not to be had, OPERATION_NOT_SUPPORTED if a
 * device of another kind has the name.
 */
export async function openIpipBackend(options: OpenIpipOptions = {}): Promise<IpipBackend> {
  const { namespace, prefer, device = "tunl0" } = options;
  const links = openRouteSocket(namespace === undefined ? {} : { namespace });
  const backend = { links, device, ...(namespace === undefined ? {} : { namespace }) };
  try {
    const kind = await chooseKind(backend, prefer);
    return kind === "kernel" ? new KernelBackend(backend) : new BpfBackend(backend);
  } catch (error) {
    links.close();
    throw error;
  }
}

async function chooseKind(
  options: BackendOptions,
  prefer: "kernel" | "bpf" | undefined,
): Promise<"kernel" | "bpf"> {
  const { links, device } = options;
  const link = await links.link(device);
  if (link) {
    const standing = link.kind === "ipip" ? "kernel" : link.kind === "ifb" ? "bpf" : undefined;
    if (standing && (prefer ?? standing) === standing) return standing;
    throw foreignDevice(device, link, prefer ?? "kernel");
  }
  if (prefer === "bpf") return "bpf";
  if (await makeIpip(options)) return "kernel";
  if (prefer === undefined) return "bpf";
  throw new SwitchyardError(
    "PREREQUISITE_MISSING",
    `cannot make ${device} with the kernel's ipip module: this kernel has none`,
  );
}
