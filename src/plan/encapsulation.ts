/** Which encapsulation an IPPool asks for, per destination. */

import { type IpAddress, isPrefix4, prefixContains } from "../lib/index.ts";
import type { Encapsulation } from "../model/index.ts";
import type { Tunnel } from "./gate.ts";
import type { NodeAddress, PoolFacts } from "./types.ts";

/**
 * The local node's own mask decides what is in its subnet (Felix's rule, so that both agree): a
 * node stored without a mask has a /32 and no neighbour is ever in its subnet.
 */
export function inSameSubnet(local: NodeAddress, remote: IpAddress): boolean {
  return prefixContains({ address: local.address, length: local.prefixLength }, remote);
}

/** What packets from `local` to a block on `remote` should wear. */
export function wantedEncapsulation(
  pool: PoolFacts,
  local: NodeAddress,
  remote: NodeAddress,
): Encapsulation {
  const tunnel = poolTunnel(pool);
  if (!tunnel) return "none";
  const mode = tunnel === "ipip" ? pool.ipipMode : pool.vxlanMode;
  return mode === "CrossSubnet" && inSameSubnet(local, remote.address) ? "none" : tunnel;
}

/**
 * The tunnel that any node may be asked to send because of this pool. VXLAN wins where both are set;
 * IP-in-IP carries IPv4 only.
 */
export function poolTunnel({
  cidr,
  ipipMode,
  vxlanMode,
}: Pick<PoolFacts, "cidr" | "ipipMode" | "vxlanMode">): Tunnel | undefined {
  const v4 = isPrefix4(cidr);
  if (vxlanMode !== "Never") return v4 ? "vxlan" : "vxlan-v6";
  return v4 && ipipMode !== "Never" ? "ipip" : undefined;
}
