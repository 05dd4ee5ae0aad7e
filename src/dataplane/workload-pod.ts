/** What a pod has inside: its addresses, and routes through a link-local gateway that its host answers for. */

import {
  type Family,
  familyOf,
  hostPrefix,
  type IpAddress,
  ipAddress,
  type Prefix,
  prefix,
  prefixEquals,
  prefixFamily,
} from "../lib/index.ts";
import { addressDelete, addressReplace, type RouteSocket, routeReplace } from "../netlink/index.ts";

/** What Calico's pods have: an address nobody holds, and the one the kernel makes of the host end's MAC. */
const GATEWAYS: Readonly<Record<Family, IpAddress>> = {
  4: ipAddress("169.254.1.1"),
  6: ipAddress("fe80::ecee:eeff:feee:eeee"),
};
/** Of the host end, since the pod asks for it by neighbour discovery. */
export const HOST_LINK_LOCAL: Prefix = prefix("fe80::ecee:eeff:feee:eeee/64");
const EVERYTHING: readonly Prefix[] = [prefix("0.0.0.0/0"), prefix("::/0")];
const RTPROT_BOOT = 3;

export interface PodNetwork {
  readonly podDevice: string;
  readonly addresses: readonly IpAddress[];
  readonly routeMtu?: number;
  readonly routes?: readonly Prefix[];
}

/** Idempotent; `index` is the pod end's. @throws NETLINK_REFUSED. */
export async function configurePod(
  network: PodNetwork,
  pod: RouteSocket,
  index: number,
): Promise<void> {
  for (const family of [4, 6] as const) {
    const addresses = network.addresses.filter((address) => familyOf(address) === family);
    await setAddresses({ ...network, addresses }, { pod, index, family });
    if (addresses.length > 0) await setRoutes(network, { pod, index, family });
  }
}

interface Place {
  readonly pod: RouteSocket;
  readonly index: number;
  readonly family: Family;
}

/** Before the routes, which take them as their source whenever that is asked for. */
async function setAddresses(
  { podDevice, addresses }: PodNetwork,
  { pod, index, family }: Place,
): Promise<void> {
  const name = () => podDevice;
  const wanted = addresses.map((address): Prefix => hostPrefix(address));
  const all = await pod.addresses({ index, family });
  // The pod's own link-local address is the kernel's affair.
  const held = all.filter(({ scope }) => family === 4 || scope !== "link");
  for (const one of wanted) {
    if (held.some((other) => prefixEquals(other.prefix, one))) continue;
    const nodad = family === 6 ? { nodad: true } : {};
    await pod.apply(addressReplace({ index, prefix: one, scope: "global", ...nodad }, name));
  }
  for (const other of held) {
    if (wanted.some((one) => one.address === other.prefix.address)) continue;
    await pod.apply(addressDelete(other, name));
  }
}

async function setRoutes(
  { podDevice, routes = EVERYTHING, routeMtu }: PodNetwork,
  { pod, index, family }: Place,
): Promise<void> {
  const name = () => podDevice;
  const gateway = GATEWAYS[family];
  const common = { type: "unicast", device: index, protocol: RTPROT_BOOT } as const;
  if (family === 4) {
    const destination = hostPrefix(gateway);
    await pod.apply(routeReplace({ ...common, destination, scope: "link" }, name));
  }
  for (const destination of routes.filter((route) => prefixFamily(route) === family)) {
    const mtu = routeMtu === undefined ? {} : { mtu: routeMtu };
    const route = { ...common, destination, gateway, scope: "global", ...mtu };
    await pod.apply(routeReplace(route, name));
  }
}
