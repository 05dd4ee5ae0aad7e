/** tun and tap devices, which rtnetlink cannot make: /dev/net/tun (linux/if_tun.h). */

import { SwitchyardError } from "../errors.ts";
import { closeFd, openPath } from "./file-descriptor.ts";
import { libc } from "./libc.ts";
import { withNamespace } from "./namespace.ts";
import { check } from "./system-error.ts";

const DEVICE = "/dev/net/tun";
const O_RDWR = 2;
const TUNSETIFF = 0x4004_54ca;
const TUNSETPERSIST = 0x4004_54cb;
const TUNSETOWNER = 0x4004_54cc;
const TUNSETGROUP = 0x4004_54ce;
const IFF_TUN = 0x1;
const IFF_TAP = 0x2;
const IFF_MULTI_QUEUE = 0x100;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
/** struct ifreq: 16 bytes of name, then the flags. */
const IFREQ_BYTES = 40;
const IFNAMSIZ = 16;

export interface TunOptions {
  readonly name: string;
  /** `tun` carries IP packets, `tap` Ethernet frames. */
  readonly mode: "tun" | "tap";
  /** Path of a network namespace; the process's own unless told. */
  readonly namespace?: string;
  /** A header with the packet's protocol in front of each; false unless told. */
  readonly packetInformation?: boolean;
  /** struct virtio_net_hdr in front of each; false unless told. */
  readonly vnetHeader?: boolean;
  /** Several descriptors, each a queue; false unless told. */
  readonly multiQueue?: boolean;
  /** User and group ids that may open it without privileges. */
  readonly owner?: number;
  readonly group?: number;
}

/**
 * A descriptor that reads what the device sends and whose writes the device receives. The device is made
 * if there is none of that name, and goes when the descriptor is closed unless it was made to stay
 * ({@link createTun}). @throws SYSTEM_CALL_FAILED, INVALID_ARGUMENT.
 */
export function openTun(options: TunOptions): number {
  const { name, mode, namespace } = options;
  const encoded = new TextEncoder().encode(name);
  if (encoded.length === 0 || encoded.length >= IFNAMSIZ || /[/\0\s]/.test(name)) {
    throw new SwitchyardError(
      "INVALID_ARGUMENT",
      `not a name of a network device: ${JSON.stringify(name)}`,
    );
  }
  const flags =
    (mode === "tun" ? IFF_TUN : IFF_TAP) |
    (options.packetInformation ? 0 : IFF_NO_PI) |
    (options.vnetHeader ? IFF_VNET_HDR : 0) |
    (options.multiQueue ? IFF_MULTI_QUEUE : 0);
  const request = new Uint8Array(IFREQ_BYTES);
  request.set(encoded);
  new DataView(request.buffer).setUint16(IFNAMSIZ, flags, true);
  const open = () => {
    const fd = openPath(DEVICE, O_RDWR);
    try {
      check(libc.ioctl(fd, TUNSETIFF, request), "ioctl(TUNSETIFF)", name);
      const { owner, group } = options;
      if (owner !== undefined)
        set(fd, name, { request: TUNSETOWNER, call: "TUNSETOWNER", value: owner });
      if (group !== undefined)
        set(fd, name, { request: TUNSETGROUP, call: "TUNSETGROUP", value: group });
      return fd;
    } catch (error) {
      closeFd(fd);
      throw error;
    }
  };
  return namespace === undefined ? open() : withNamespace(namespace, open);
}

function set(
  fd: number,
  name: string,
  {
    request,
    call,
    value,
  }: { readonly request: number; readonly call: string; readonly value: number },
): void {
  check(libc.ioctlValue(fd, request, value), `ioctl(${call}=${value})`, name);
}

/** `ip tuntap add`: a device that stays. */
export function createTun(options: TunOptions): void {
  const fd = openTun(options);
  try {
    set(fd, options.name, { request: TUNSETPERSIST, call: "TUNSETPERSIST", value: 1 });
  } finally {
    closeFd(fd);
  }
}

/** `ip tuntap delete`; mode and queues must be those it was made with. */
export function deleteTun(options: TunOptions): void {
  const fd = openTun(options);
  try {
    set(fd, options.name, { request: TUNSETPERSIST, call: "TUNSETPERSIST", value: 0 });
  } finally {
    closeFd(fd);
  }
}
