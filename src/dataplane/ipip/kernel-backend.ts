/**
 * IP-in-IP by the kernel's ipip module: a device without local and remote address, whose destinations
 * are the gateways of the routes on it. Where the module is loaded, every namespace has a fallback
 * device named tunl0 that can be neither made nor deleted.
 */

import { SwitchyardError } from "../../lib/index.ts";
import type { Link } from "../../netlink/index.ts";
import { type BackendOptions, foreignDevice } from "./bpf-backend.ts";
import { noCounters } from "./layout.ts";
import { checkIpipState } from "./state.ts";
import { Turns } from "./turns.ts";
import type { IpipBackend, IpipCounters, IpipState } from "./types.ts";

export class KernelBackend implements IpipBackend {
  readonly kind = "kernel";
  readonly #options: BackendOptions;
  readonly #turns = new Turns();

  constructor(options: BackendOptions) {
    this.#options = options;
  }

  apply(state: IpipState): Promise<void> {
    return this.#turns.take(async () => {
      checkIpipState(state, this.#options.device);
      const { links, device } = this.#options;
      const found = await links.link(device);
      if (found && found.kind !== "ipip") throw foreignDevice(device, found, "kernel");
      const link = found ?? (await makeIpip(this.#options));
      if (link === undefined) {
        throw new SwitchyardError(
          "PREREQUISITE_MISSING",
          `cannot make ${device}: this kernel has no ipip module`,
        );
      }
      if (link.mtu !== state.mtu || !link.up)
        await links.changeLink(link.index, { mtu: state.mtu, up: true });
    });
  }

  async counters(): Promise<IpipCounters> {
    const statistics = await this.#options.links.statistics(this.#options.device);
    if (statistics === undefined) return noCounters;
    const { rxPackets, txPackets, rxErrors, txErrors } = statistics;
    return {
      ...noCounters,
      encapsulated: Number(txPackets),
      decapsulated: Number(rxPackets),
      errors: Number(rxErrors) + Number(txErrors),
    };
  }

  remove(): Promise<void> {
    return this.#turns.take(async () => {
      const { links, device } = this.#options;
      const link = await links.link(device);
      if (link?.kind !== "ipip") return;
      await links.deleteLink(link.index);
      // The fallback device stays, without a word (ip_tunnel_dellink of the kernel).
      const fallback = await links.link(device);
      if (fallback?.up) await links.changeLink(fallback.index, { up: false });
    });
  }

  close(): void {
    this.#options.links.close();
  }
}

/** `ip link add tunl0 type ipip`; `undefined` if the kernel has no such device type. */
export async function makeIpip(options: BackendOptions): Promise<Link | undefined> {
  const { links, device } = options;
  try {
    return await links.createLink({ kind: "ipip", name: device });
  } catch (error) {
    const errno = error instanceof SwitchyardError ? error.details.errno : undefined;
    if (errno === "EOPNOTSUPP" || errno === "ENOTSUP") return undefined;
    // Asking for the type loads the module, and with it the fallback device of that name appears.
    const link = errno === "EEXIST" ? await links.link(device) : undefined;
    if (link?.kind === "ipip") return link;
    throw error;
  }
}
