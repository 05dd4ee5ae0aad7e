/** An IPPool's two encapsulation fields as the one thing they mean. */

import type { EncapMode } from "./kinds/ip-pool.ts";

export type NetworkMode =
  | "IPIPAlways"
  | "IPIPCrossSubnet"
  | "VXLANAlways"
  | "VXLANCrossSubnet"
  | "None";

interface Encapsulated {
  readonly ipipMode?: EncapMode | undefined;
  readonly vxlanMode?: EncapMode | undefined;
}

/** Absent means `Never`. Both set cannot be stored; VXLAN would win, as it does in Felix. */
export function poolMode(spec: Encapsulated): NetworkMode {
  const { ipipMode = "Never", vxlanMode = "Never" } = spec;
  if (vxlanMode !== "Never") return `VXLAN${vxlanMode}`;
  if (ipipMode !== "Never") return `IPIP${ipipMode}`;
  return "None";
}
