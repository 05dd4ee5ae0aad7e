/** Which encapsulation an IPPool asks for, per destination. */

import { type Ipv4, prefixContains } from "../lib/index.ts";
import type { Encapsulation } from "../model/index.ts";
import type { NodeFacts, PoolFacts } from "./types.ts";

/**
 * The local node's own mask decides what is in its subnet (Felix's rule, so that both agree): a
 * node stored without a mask has a /32 and no neighbour is ever in its subnet.
 */
export function inSameSubnet(local: NodeFacts, remote: Ipv4): boolean {
  return prefixContains({ address: local.address, length: local.prefixLength }, remote);
}

/** What packets from `local` to a block on `remote` should wear. VXLAN wins where both are set. */
export function wantedEncapsulation(
  pool: PoolFacts,
  local: NodeFacts,
  remote: NodeFacts,
): Encapsulation {
  const [mode, tunnel] =
    pool.vxlanMode !== "Never"
      ? [pool.vxlanMode, "vxlan" as const]
      : [pool.ipipMode, "ipip" as const];
  if (mode === "Never") return "none";
  return mode === "CrossSubnet" && inSameSubnet(local, remote.address) ? "none" : tunnel;
}

/** Tunnel encapsulations that any node may be asked to send because of this pool. */
export function poolTunnel(
  pool: Pick<PoolFacts, "ipipMode" | "vxlanMode">,
): "ipip" | "vxlan" | undefined {
  if (pool.vxlanMode !== "Never") return "vxlan";
  return pool.ipipMode !== "Never" ? "ipip" : undefined;
}
