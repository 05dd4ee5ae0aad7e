/**
 * Whether a tunnel device still waits for its address. Until it has one it must not be offered: on a device
 * without any address the kernel's reverse-path filter, loose (2) as well as strict (1), drops what
 * the host would answer by another device (fib_validate_source), and during a mode change that is
 * everything. Pure.
 */

import { eligibleTunnelPools, type Tunnel } from "../facts/index.ts";
import type { IPPool, Node } from "../model/index.ts";
import type { NodePlan } from "../plan/index.ts";

const parts = { ipip: "ipip", vxlan: "vxlan", "vxlan-v6": "vxlan6" } as const;

export interface AwaitedAddressInput {
  readonly plan: Pick<NodePlan, "ipip" | "vxlan" | "vxlan6" | "addresses">;
  readonly node: Node | undefined;
  readonly pools: readonly IPPool[];
}

/** Where no pool gives this node an address there is nothing to wait for. */
export function awaitsAddress(tunnel: Tunnel, { plan, node, pools }: AwaitedAddressInput): boolean {
  const device = plan[parts[tunnel]]?.device;
  if (device === undefined || plan.addresses.some((address) => address.device === device)) {
    return false;
  }
  const labels = node?.metadata.labels ?? {};
  return eligibleTunnelPools({ pools, labels, tunnel }).length > 0;
}
