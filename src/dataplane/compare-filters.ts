/** The BPF programs of IP-in-IP held against a plan: only where `tunl0` is our BPF device. */

import { withNamespace } from "../lib/sys/index.ts";
import type { HeldObject, NodePlan, PlanObject } from "../plan/index.ts";
import { tunnelFilters } from "./ipip/index.ts";
import type { KernelTables } from "./kernel-tables.ts";
import { TUNNEL_DEVICES } from "./ownership.ts";

export interface FilterObjects {
  readonly planned: readonly PlanObject[];
  readonly held: readonly HeldObject[];
}

export function compareFilters(input: {
  readonly plan: NodePlan;
  readonly tables: KernelTables;
  readonly namespace: string | undefined;
}): FilterObjects {
  const { plan, tables, namespace } = input;
  const tunnel = tables.linkByName(TUNNEL_DEVICES.ipip);
  const uplink = tables.linkByName(plan.uplink);
  if (plan.ipip === undefined || tunnel?.kind !== "ifb" || uplink === undefined) {
    return { planned: [], held: [] };
  }
  const devices = { tunnel: tunnel.index, uplink: uplink.index };
  const read = () => tunnelFilters(devices);
  const filters = namespace === undefined ? read() : withNamespace(namespace, read);
  const objects = filters.map(({ program, direction, device, stands }) => {
    const line = `filter ${program} ${direction} dev ${tables.linkName(device)}`;
    return { key: line, line, reason: "IP-in-IP by BPF", stands };
  });
  return { planned: objects, held: objects.filter(({ stands }) => stands) };
}
