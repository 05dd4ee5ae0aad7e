/** An IPPool's two encapsulation fields as the one thing they mean. */

import type { EncapMode } from "./kinds/ip-pool.ts";

export const networkModes = [
  "IPIPAlways",
  "IPIPCrossSubnet",
  "VXLANAlways",
  "VXLANCrossSubnet",
  "None",
] as const;
export type NetworkMode = (typeof networkModes)[number];

interface Encapsulated {
  readonly ipipMode?: EncapMode | undefined;
  readonly vxlanMode?: EncapMode | undefined;
}

/** Absent means `Never`. Both set cannot be stored; IPIP wins then, as in Calico. */
export function poolMode(spec: Encapsulated): NetworkMode {
  const { ipipMode = "Never", vxlanMode = "Never" } = spec;
  if (ipipMode !== "Never") return `IPIP${ipipMode}`;
  if (vxlanMode !== "Never") return `VXLAN${vxlanMode}`;
  return "None";
}

/** The fields of a pool in this mode; the reverse of {@link poolMode}. */
export function poolModeFields(mode: NetworkMode): { ipipMode: EncapMode; vxlanMode: EncapMode } {
  if (mode === "None") return { ipipMode: "Never", vxlanMode: "Never" };
  const always = mode.endsWith("Always");
  const encap: EncapMode = always ? "Always" : "CrossSubnet";
  return mode.startsWith("IPIP")
    ? { ipipMode: encap, vxlanMode: "Never" }
    : { ipipMode: "Never", vxlanMode: encap };
}
