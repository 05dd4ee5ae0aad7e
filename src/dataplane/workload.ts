/**
 * Attaches a pod to its node as Calico's CNI plugin does: a veth whose host end answers ARP for the
 * link-local gateway 169.254.1.1 and has that of IPv6, a route to each address of the pod on the host, a
 * default route per family in the pod.
 * Idempotent: what is right stays, so that a repeated ADD does not interrupt a running pod.
 */

import { createHash } from "node:crypto";
import {
  familyOf,
  formatAddress,
  hostPrefix,
  type IpAddress,
  isIpv4,
  type Prefix,
  prefixEquals,
  SwitchyardError,
} from "../lib/index.ts";
import {
  addressReplace,
  formatRoute,
  type Link,
  openRouteSocket,
  type Route,
  type RouteSocket,
  routeReplace,
} from "../netlink/index.ts";
import type { SysctlPlan } from "../plan/index.ts";
import { defaultOwnership, isWorkloadDevice, ownsRoute } from "./ownership.ts";
import { hasOurMetric } from "./route-body.ts";
import { applySysctls } from "./sysctl.ts";
import { configurePod, HOST_LINK_LOCAL } from "./workload-pod.ts";

export interface AttachWorkloadOptions {
  /** Path of the node's network namespace; the process's own unless told. */
  readonly hostNamespace?: string;
  /** Path of the pod's network namespace. */
  readonly podNamespace: string;
  /** Host end of the veth: see {@link workloadDeviceName}. */
  readonly hostDevice: string;
  /** Pod end: `eth0`. */
  readonly podDevice: string;
  /** One, or one of each family. */
  readonly addresses: readonly IpAddress[];
  /** Of both ends; 0 leaves the kernel's default. */
  readonly mtu: number;
  /**
   * What the pod's sockets use, when less than `mtu`: the MTU of its routes. A device can then take more
   * than the pod sends, so that a later mode with less room needs no change of the device.
   */
  readonly routeMtu?: number;
  /** What the pod reaches through its node; everything unless told. */
  readonly routes?: readonly Prefix[];
}

/** The same on every host end; nothing ever learns it but the pod behind it. */
export const HOST_MAC = "ee:ee:ee:ee:ee:ee";
const RTPROT_BOOT = 3;
const OWN_NAMESPACE = "/proc/self/ns/net";

/** `cali` and 11 digits: with 15 characters as long as a device name may be. */
export function workloadDeviceName(namespace: string, pod: string): string {
  return `cali${createHash("sha1").update(`${namespace}.${pod}`).digest("hex").slice(0, 11)}`;
}

/** The MAC of the pod's end. @throws NETLINK_REFUSED, RESOURCE_CONFLICT, SYSTEM_CALL_FAILED. */
export async function attachWorkload(options: AttachWorkloadOptions): Promise<{ mac: string }> {
  const { hostNamespace, podNamespace } = options;
  const host = openRouteSocket(hostNamespace === undefined ? {} : { namespace: hostNamespace });
  try {
    const pod = openRouteSocket({ namespace: podNamespace });
    try {
      return await attach(options, host, pod);
    } finally {
      pod.close();
    }
  } finally {
    host.close();
  }
}

async function attach(
  options: AttachWorkloadOptions,
  host: RouteSocket,
  pod: RouteSocket,
): Promise<{ mac: string }> {
  const { hostDevice, podDevice, hostNamespace, podNamespace } = options;
  for (const address of options.addresses) await refuseTakenAddress(address, hostDevice, host);
  const { hostLink, podLink } = (await standing(options, host, pod)) ?? {
    ...(await create(options, host, pod)),
  };
  const ipv6 = options.addresses.some((address) => !isIpv4(address));
  sysctls([...hostSysctls(hostDevice), ...(ipv6 ? hostSysctls6(hostDevice) : [])], hostNamespace);
  sysctls([...podSysctls, ...(ipv6 ? podSysctls6(podDevice) : [])], podNamespace);
  if (!hostLink.up) await host.changeLink(hostLink.index, { up: true });
  if (!podLink.up) await pod.changeLink(podLink.index, { up: true });
  await configurePod(options, pod, podLink.index);
  const { index } = hostLink;
  const name = () => hostDevice;
  // The kernel's own may be another where it does not make it of the MAC (addr_gen_mode).
  const gateway = { index, prefix: HOST_LINK_LOCAL, scope: "link", nodad: true };
  if (ipv6) await host.apply(addressReplace(gateway, name));
  for (const address of options.addresses) {
    const toPod: Route = {
      type: "unicast",
      destination: hostPrefix(address),
      device: index,
      protocol: RTPROT_BOOT,
      scope: isIpv4(address) ? "link" : "global",
    };
    await host.apply(routeReplace(toPod, name));
  }
  if (podLink.mac === undefined) {
    throw new SwitchyardError("NETLINK_MALFORMED", `link show ${podDevice}: it has no MAC address`);
  }
  return { mac: podLink.mac };
}

interface Ends {
  readonly hostLink: Link;
  readonly podLink: Link;
}

/** The two ends of this pod's veth, if it stands already. */
async function standing(
  { hostDevice, podDevice }: AttachWorkloadOptions,
  host: RouteSocket,
  pod: RouteSocket,
): Promise<Ends | undefined> {
  const hostLink = await host.link(hostDevice);
  if (hostLink === undefined) return undefined;
  const podLink = await pod.link(podDevice);
  const paired =
    hostLink.kind === "veth" &&
    podLink?.kind === "veth" &&
    hostLink.link === podLink.index &&
    podLink.link === hostLink.index &&
    hostLink.mac === HOST_MAC;
  if (paired) return { hostLink, podLink };
  // The device of an earlier life of this pod: its namespace is gone, or is being taken down.
  await host.deleteLink(hostLink.index);
  return undefined;
}

/** Both ends are made in their places at once: neither is ever seen half-way. */
async function create(
  options: AttachWorkloadOptions,
  host: RouteSocket,
  pod: RouteSocket,
): Promise<Ends> {
  const { hostDevice, podDevice, hostNamespace = OWN_NAMESPACE } = options;
  const mtu = options.mtu === 0 ? {} : { mtu: options.mtu };
  const podLink = await pod.createLink({
    kind: "veth",
    name: podDevice,
    ...mtu,
    peer: { name: hostDevice, mac: HOST_MAC, ...mtu, namespace: hostNamespace },
  });
  const hostLink = await host.link(hostDevice);
  if (hostLink === undefined) {
    throw new SwitchyardError(
      "RESOURCE_NOT_FOUND",
      `link ${hostDevice} vanished after it was made for ${podDevice}`,
    );
  }
  return { hostLink, podLink };
}

/** @throws RESOURCE_CONFLICT if the address leads to another pod of this node, or is not ours. */
async function refuseTakenAddress(
  address: IpAddress,
  hostDevice: string,
  host: RouteSocket,
): Promise<void> {
  const routes = await host.routes({ family: familyOf(address) });
  const wanted: Prefix = hostPrefix(address);
  const taken = routes.find(
    (route) => prefixEquals(route.destination, wanted) && hasOurMetric(route),
  );
  if (taken === undefined) return;
  const names = new Map((await host.links()).map((link) => [link.index, link.name]));
  const name = (index: number) => names.get(index);
  const device = taken.device === undefined ? undefined : name(taken.device);
  if (device === hostDevice) return;
  // A route of ours to another node may stand for an address that was borrowed there.
  const ours = ownsRoute(defaultOwnership, taken, device);
  if (ours && !isWorkloadDevice(defaultOwnership, device)) return;
  throw new SwitchyardError(
    "RESOURCE_CONFLICT",
    `attach ${hostDevice}: address ${formatAddress(address)} is in use by route ${formatRoute(taken, name)}`,
  );
}

function hostSysctls(device: string): SysctlPlan[] {
  const conf = `net/ipv4/conf/${device}`;
  return [
    setting(`${conf}/proxy_arp`, "1"),
    // Proxied answers are delayed by up to 0.8 s otherwise: the pod's first packet would wait.
    setting(`net/ipv4/neigh/${device}/proxy_delay`, "0"),
    setting(`${conf}/forwarding`, "1"),
    setting(`${conf}/route_localnet`, "1"),
    setting(`${conf}/rp_filter`, "1"),
  ];
}

/** The host end is a router for the pod behind it, and nobody's guest. */
function hostSysctls6(device: string): SysctlPlan[] {
  const conf = `net/ipv6/conf/${device}`;
  return [
    setting(`${conf}/disable_ipv6`, "0"),
    setting(`${conf}/accept_ra`, "0"),
    // Its gateway address must answer at once.
    setting(`${conf}/accept_dad`, "0"),
    setting(`${conf}/proxy_ndp`, "1"),
    setting(`${conf}/forwarding`, "1"),
  ];
}

/** A pod is no router, whatever the host's defaults say. */
const podSysctls = [setting("net/ipv4/ip_forward", "0")];

function podSysctls6(device: string): SysctlPlan[] {
  return [
    ...["all", "default", "lo"].map((each) => setting(`net/ipv6/conf/${each}/disable_ipv6`, "0")),
    setting(`net/ipv6/conf/${device}/accept_dad`, "0"),
    setting("net/ipv6/conf/all/forwarding", "0"),
  ];
}

function setting(path: string, value: string): SysctlPlan {
  return { path, value, reason: "workload" };
}

function sysctls(settings: readonly SysctlPlan[], namespace: string | undefined): void {
  const [failure] = applySysctls(settings, namespace).failures;
  if (failure) throw new SwitchyardError("SYSTEM_CALL_FAILED", failure.message);
}

export interface DetachWorkloadOptions {
  /** Path of the node's network namespace; the process's own unless told. */
  readonly hostNamespace?: string;
  readonly hostDevice: string;
}

/** Removes the veth, and with it everything that was on it; a device that is not there is no error. */
export async function detachWorkload(options: DetachWorkloadOptions): Promise<void> {
  const { hostNamespace, hostDevice } = options;
  const host = openRouteSocket(hostNamespace === undefined ? {} : { namespace: hostNamespace });
  try {
    const link = await host.link(hostDevice);
    if (link !== undefined) await host.deleteLink(link.index);
  } finally {
    host.close();
  }
}
