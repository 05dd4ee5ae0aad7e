/**
 * What in the kernel is ours: found by route protocol and device name, as Calico finds its own, so that
 * whatever a predecessor left is adopted. Everything else is never touched.
 */

import { isHostPrefix } from "../lib/index.ts";
import type { Encapsulation } from "../model/index.ts";
import type { LinkAddress, Route } from "../netlink/index.ts";

/** Calico's names of the devices a node gets. */
export const TUNNEL_DEVICES = {
  ipip: "tunl0",
  vxlan: "vxlan.calico",
  "vxlan-v6": "vxlan-v6.calico",
} as const;

const tunnelOfDevice = new Map<string, Exclude<Encapsulation, "none">>([
  [TUNNEL_DEVICES.ipip, "ipip"],
  [TUNNEL_DEVICES.vxlan, "vxlan"],
  [TUNNEL_DEVICES["vxlan-v6"], "vxlan-v6"],
]);

const RTPROT_KERNEL = 2;
const RTPROT_BOOT = 3;

export interface Ownership {
  /** RTPROT_* that are ours alone in table main. */
  readonly protocols: readonly number[];
  /** Start of the names of pods' host-side devices. */
  readonly workloadDevicePrefix: string;
}

/** Where the addresses of hosts are that belong to no network. */
const LOOPBACK = "lo";

/** All of a tunnel device; elsewhere only on `lo` and at pods, and only what says by its protocol that it is ours. */
export function ownsAddress(
  ownership: Ownership,
  { protocol }: LinkAddress,
  device: string | undefined,
): boolean {
  if (isTunnelDevice(device)) return true;
  const mayHave = device === LOOPBACK || isWorkloadDevice(ownership, device);
  return mayHave && protocol !== undefined && ownership.protocols.includes(protocol);
}

/** What is ours before the first plan says so. */
export const defaultOwnership: Ownership = { protocols: [12, 80], workloadDevicePrefix: "cali" };

export function isTunnelDevice(name: string | undefined): boolean {
  return name !== undefined && tunnelOfDevice.has(name);
}

/** What a packet wears that leaves by this device. */
export function encapsulationOf(device: string | undefined): Encapsulation {
  return (device === undefined ? undefined : tunnelOfDevice.get(device)) ?? "none";
}

export function isWorkloadDevice(ownership: Ownership, name: string | undefined): boolean {
  return name?.startsWith(ownership.workloadDevicePrefix) ?? false;
}

/** `device` is the name of the route's device, if it has one. */
export function ownsRoute(ownership: Ownership, route: Route, device: string | undefined): boolean {
  if (ownership.protocols.includes(route.protocol)) return true;
  // Felix gives routes on its own VXLAN device the protocol `deviceRouteProtocol`, which is boot unless
  // told: there it goes by the device, whatever the protocol, and so do we.
  if (device === TUNNEL_DEVICES.vxlan || device === TUNNEL_DEVICES["vxlan-v6"])
    return route.protocol !== RTPROT_KERNEL;
  // `W dev cali... scope link`, as the CNI plugin writes it before the agent knows of the pod.
  return (
    route.protocol === RTPROT_BOOT &&
    route.type === "unicast" &&
    route.gateway === undefined &&
    isHostPrefix(route.destination) &&
    isWorkloadDevice(ownership, device)
  );
}

/**
 * A planned route may take its place. `ip route replace` without a protocol writes boot: under the key of a
 * planned route that is a hand in ours. Whoever means to stay says so (static, or a protocol of its own).
 */
export function yieldsToPlan(
  ownership: Ownership,
  route: Route,
  device: string | undefined,
): boolean {
  return route.protocol === RTPROT_BOOT || ownsRoute(ownership, route, device);
}
