/** Stateful filters: the real thing, connection tracking where the router forwards between its subnets. Pure. */

import type { Topology } from "../topology.ts";
import { counted, countersOf, emptyChain, tables, withoutTable } from "./nft-words.ts";
import { bridgeNamed } from "./place.ts";
import type { FaultRecord } from "./spec.ts";
import { trafficMatches } from "./traffic.ts";

/** @throws INVALID_ARGUMENT for a place that the lab does not have. */
export function renderFilters(rendering: {
  readonly topology: Topology;
  readonly faults: readonly FaultRecord[];
  readonly gone: readonly FaultRecord[];
}): string[] {
  const { topology, faults, gone } = rendering;
  const filters = faults.flatMap(({ id, spec, zone }) =>
    spec.kind === "stateful-filter" ? [{ id, spec, zone }] : [],
  );
  if (filters.length === 0) return withoutTable(tables.filter);
  return [
    `add table ${tables.filter}`,
    ...emptyChain(tables.filter, "prerouting", "prerouting priority raw"),
    ...emptyChain(tables.filter, "transit", "forward priority filter"),
    ...countersOf(tables.filter, {
      kept: filters.map(({ id }) => id),
      gone: gone.map(({ id }) => id),
    }),
    // A zone of its own: flows that the kernel has seen before do not count.
    `add rule ${tables.filter} prerouting ct zone set ${filters[0]!.zone}`,
    ...filters.flatMap(({ id, spec }) => {
      const [from, to] = spec.between.map((name) => bridgeNamed(name, topology));
      const way = `iifname "${from}" oifname "${to}" ct state new,invalid,untracked`;
      return trafficMatches(spec.traffic, topology).map(
        (match) => `add rule ${tables.filter} transit ${way} ${match} ${counted(id)} drop`,
      );
    }),
  ];
}
