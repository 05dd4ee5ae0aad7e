/**
 * How large packets may be: the fabric's MTU from the host's interfaces, what each encapsulation leaves of
 * it, and what a pod may use. Calico's rules, except that a pod's MTU follows what the node can meet
 * now, not what its agent found when it started.
 */

import type { Encapsulation } from "../model/index.ts";
import { IPIP_OVERHEAD_BYTES, VXLAN_OVERHEAD_BYTES, VXLAN6_OVERHEAD_BYTES } from "./devices.ts";
import type { HostFacts, MtuPlan, Settings, Snapshot } from "./types.ts";

/** Names of systemd's and the kernel's network interfaces: Ethernet, wireless, mobile, InfiniBand. */
export const DEFAULT_MTU_IFACE_PATTERN = "^((en|wl|ww|sl|ib)[Pcopsvx].*|(eth|wlan|wwan).*)";
/** Where no interface matches: what Calico assumes, small enough for the clouds that take from 1500. */
const UNKNOWN_HOST_MTU = 1460;

/** The smallest of the running interfaces that match. @throws SyntaxError for a bad pattern. */
export function hostMtu({ interfaces }: Pick<HostFacts, "interfaces">, pattern: string): number {
  const expression = new RegExp(pattern);
  const found = interfaces.filter(({ name, running }) => running && expression.test(name));
  return found.length === 0 ? UNKNOWN_HOST_MTU : Math.min(...found.map(({ mtu }) => mtu));
}

type MtuSettings = Pick<Settings, "mtuIfacePattern" | "ipipMtu" | "vxlanMtu" | "vxlan6Mtu">;

/** The largest packet that each encapsulation carries. */
export function encapsulationMtus(
  host: Pick<HostFacts, "interfaces">,
  settings: MtuSettings,
): Record<Encapsulation, number> {
  const none = hostMtu(host, settings.mtuIfacePattern);
  return {
    none,
    ipip: settings.ipipMtu || none - IPIP_OVERHEAD_BYTES,
    vxlan: settings.vxlanMtu || none - VXLAN_OVERHEAD_BYTES,
    "vxlan-v6": settings.vxlan6Mtu || none - VXLAN6_OVERHEAD_BYTES,
  };
}

/**
 * `receive` holds whatever any node may still send, this one included (gate.ts). An MTU that the operator
 * gave counts even if it is above the host's.
 */
export function planMtu({
  host,
  settings,
  receive,
}: Pick<Snapshot, "host" | "settings" | "receive">): MtuPlan {
  const mtus = encapsulationMtus(host, settings);
  const tunnels = receive.filter((encapsulation) => encapsulation !== "none");
  const pods = tunnels.length === 0 ? mtus.none : Math.min(...tunnels.map((one) => mtus[one]));
  return { host: mtus.none, pods };
}
