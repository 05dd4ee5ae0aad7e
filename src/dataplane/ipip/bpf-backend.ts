/**
 * IP-in-IP without the kernel's ipip module: an `ifb` device with the tunnel's name, so that routes
 * read as operators know them, and two tc programs that do the work (bpf/ipip.bpf.c). All state is in
 * the kernel; a new process finds it there and goes on.
 */

import { hasCode, SwitchyardError } from "../../lib/index.ts";
import { withNamespace } from "../../lib/sys/index.ts";
import type { Link, RouteSocket } from "../../netlink/index.ts";
import { type Inside, IpipAttachment } from "./attachment.ts";
import { decapFilter, standingProgram } from "./filters.ts";
import { noCounters } from "./layout.ts";
import { checkIpipState } from "./state.ts";
import { Turns } from "./turns.ts";
import type { IpipBackend, IpipCounters, IpipState } from "./types.ts";

export interface BackendOptions {
  readonly links: RouteSocket;
  /** Name of the tunnel device. */
  readonly device: string;
  /** Path of the namespace; the process's own unless told. */
  readonly namespace?: string;
}

export class BpfBackend implements IpipBackend {
  readonly kind = "bpf";
  readonly #options: BackendOptions;
  readonly #inside: Inside;
  readonly #turns = new Turns();
  #attachment: IpipAttachment | undefined;

  constructor(options: BackendOptions) {
    const { namespace } = options;
    this.#options = options;
    this.#inside =
      namespace === undefined ? (body) => body() : (body) => withNamespace(namespace, body);
  }

  apply(state: IpipState): Promise<void> {
    return this.#turns.take(async () => {
      checkIpipState(state, this.#options.device);
      const { links } = this.#options;
      const link = await this.#device(state);
      this.#attachment ??= await IpipAttachment.open(this.#inside, {
        tunnel: link.index,
        uplink: state.uplink,
      });
      // A device made by somebody else may have any MAC: the program writes the one it reads here.
      await this.#attachment.apply(state, { index: link.index, mac: link.mac ?? state.uplinkMac });
      if (link.mtu !== state.mtu || !link.up)
        await links.changeLink(link.index, { mtu: state.mtu, up: true });
    });
  }

  /** The tunnel device; a new one is down until its programs stand. */
  async #device(state: IpipState): Promise<Link> {
    const { links, device } = this.#options;
    const link = await links.link(device);
    if (link === undefined) {
      const { mtu, uplinkMac } = state;
      return links.createLink({ kind: "ifb", name: device, mtu, mac: uplinkMac });
    }
    if (link.kind !== "ifb") throw foreignDevice(device, link, "bpf");
    return link;
  }

  counters(): Promise<IpipCounters> {
    return this.#turns.take(async () => {
      const attachment = this.#attachment ?? (await this.#standing());
      if (attachment === undefined) return noCounters;
      try {
        return attachment.counters();
      } finally {
        if (attachment !== this.#attachment) attachment.close();
      }
    });
  }

  remove(): Promise<void> {
    return this.#turns.take(async () => {
      const { links, device } = this.#options;
      const attachment = this.#attachment ?? (await this.#standing());
      this.#attachment = undefined;
      try {
        attachment?.detach();
      } finally {
        attachment?.close();
      }
      const link = await links.link(device);
      if (link?.kind === "ifb") await links.deleteLink(link.index);
    });
  }

  /** What a predecessor left, found by its filters, even if the tunnel device is gone. */
  async #standing(): Promise<IpipAttachment | undefined> {
    const { links, device } = this.#options;
    const all = await links.links();
    const tunnel = all.find(({ name, kind }) => name === device && kind === "ifb");
    const uplink = this.#inside(() =>
      all.find(({ index }) => {
        try {
          return standingProgram(decapFilter(index)) !== undefined;
        } catch (error) {
          if (hasCode(error, "OPERATION_NOT_SUPPORTED")) return false;
          throw error;
        }
      }),
    );
    if (tunnel === undefined && uplink === undefined) return undefined;
    return IpipAttachment.open(this.#inside, {
      ...(tunnel ? { tunnel: tunnel.index } : {}),
      ...(uplink ? { uplink: uplink.index } : {}),
    });
  }

  close(): void {
    this.#attachment?.close();
    this.#attachment = undefined;
    this.#options.links.close();
  }
}

/** The name is taken by a device that this backend cannot use. */
export function foreignDevice(name: string, link: Link, backend: string): SwitchyardError {
  return new SwitchyardError(
    "OPERATION_NOT_SUPPORTED",
    `${name} exists as a device of kind ${link.kind ?? "none"}, which the ${backend} backend of ` +
      "IP-in-IP cannot use: delete it first",
    { details: { device: name, kind: link.kind } },
  );
}
