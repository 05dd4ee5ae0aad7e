/** The five modes an IPPool can say, as the lab's `--mode` takes and prints them. */

import { SwitchyardError } from "../lib/index.ts";
import type { EncapMode, IPPoolSpec } from "../model/index.ts";

export interface PoolMode {
  readonly ipipMode: EncapMode;
  readonly vxlanMode: EncapMode;
}

const modeTable = {
  "IPIP Always": { ipipMode: "Always", vxlanMode: "Never" },
  "IPIP CrossSubnet": { ipipMode: "CrossSubnet", vxlanMode: "Never" },
  "VXLAN Always": { ipipMode: "Never", vxlanMode: "Always" },
  "VXLAN CrossSubnet": { ipipMode: "Never", vxlanMode: "CrossSubnet" },
  None: { ipipMode: "Never", vxlanMode: "Never" },
} as const satisfies Record<string, PoolMode>;

export type ModeName = keyof typeof modeTable;

export const modeNames = Object.keys(modeTable) as readonly ModeName[];

const aliases: Readonly<Record<string, ModeName>> = {
  ipip: "IPIP Always",
  vxlan: "VXLAN Always",
  bgp: "None",
  plain: "None",
  never: "None",
};

/** Reads `IPIP Always`, `ipip-always`, `ipip`, `none`, `bgp`, … @throws INVALID_ARGUMENT. */
export function parseMode(text: string): ModeName {
  const key = text.toLowerCase().replaceAll(/[^a-z]/g, "");
  const found =
    aliases[key] ?? modeNames.find((name) => name.toLowerCase().replace(" ", "") === key);
  if (found !== undefined) return found;
  const known = modeNames.map((name) => name.toLowerCase().replace(" ", "-")).join(", ");
  throw new SwitchyardError(
    "INVALID_ARGUMENT",
    `${JSON.stringify(text)} is no mode; one of ${known}`,
  );
}

/** The two fields of the pool. */
export function poolModeOf(name: ModeName): PoolMode {
  return modeTable[name];
}

/** The nearest that IPv6 has: no IP-in-IP. */
export function poolMode6Of(name: ModeName): PoolMode {
  const { ipipMode, vxlanMode } = modeTable[name];
  return { ipipMode: "Never", vxlanMode: vxlanMode === "Never" ? ipipMode : vxlanMode };
}

/** The mode a pool's spec says; absent fields mean `Never`. */
export function modeOfPool(spec: Pick<IPPoolSpec, "ipipMode" | "vxlanMode">): ModeName {
  const ipip = spec.ipipMode ?? "Never";
  const vxlan = spec.vxlanMode ?? "Never";
  if (ipip !== "Never") return ipip === "Always" ? "IPIP Always" : "IPIP CrossSubnet";
  if (vxlan !== "Never") return vxlan === "Always" ? "VXLAN Always" : "VXLAN CrossSubnet";
  return "None";
}
