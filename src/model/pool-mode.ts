/** An IPPool's two encapsulation fields as the one thing they mean. */

import type { EncapMode } from "./kinds/ip-pool.ts";
import type { ModeName } from "./kinds/mode-change.ts";

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

const fieldsOf = {
  ipip: { ipipMode: "Always", vxlanMode: "Never" },
  "ipip-cross-subnet": { ipipMode: "CrossSubnet", vxlanMode: "Never" },
  vxlan: { ipipMode: "Never", vxlanMode: "Always" },
  "vxlan-cross-subnet": { ipipMode: "Never", vxlanMode: "CrossSubnet" },
  none: { ipipMode: "Never", vxlanMode: "Never" },
} as const satisfies Record<ModeName, { ipipMode: EncapMode; vxlanMode: EncapMode }>;

/** The two fields of a pool in that mode. */
export function modeFields(name: ModeName): { ipipMode: EncapMode; vxlanMode: EncapMode } {
  return fieldsOf[name];
}

const nameOf = {
  IPIPAlways: "ipip",
  IPIPCrossSubnet: "ipip-cross-subnet",
  VXLANAlways: "vxlan",
  VXLANCrossSubnet: "vxlan-cross-subnet",
  None: "none",
} as const satisfies Record<NetworkMode, ModeName>;

/** The mode of a pool as an operator names it. */
export function modeName(spec: Encapsulated): ModeName {
  return nameOf[poolMode(spec)];
}
