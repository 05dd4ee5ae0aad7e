/** Stateful filters: the real thing, connection tracking where the router forwards between its subnets. Pure. */

import { formatPrefix } from "../../lib/index.ts";
import type { Topology } from "../topology.ts";
import { counted, countersOf, emptyChain, tables, withoutTable } from "./nft-words.ts";
import { bridgeNamed } from "./place.ts";
import type { FaultRecord } from "./spec.ts";

/** @throws INVALID_ARGUMENT for a place that the lab does not have. */
export function renderFilters(rendering: {
  readonly topology: Topology;
  readonly faults: readonly FaultRecord[];
  readonly gone: readonly number[];
}): string[] {
  const { topology, faults, gone } = rendering;
  const filters = faults.flatMap(({ id, spec, zone }) =>
    spec.kind === "stateful-filter" ? [{ id, spec, zone }] : [],
  );
  if (filters.length === 0) return withoutTable(tables.filter);
  const matches = matchesOf(topology);
  return [
    `add table ${tables.filter}`,
    ...emptyChain(tables.filter, "prerouting", "prerouting priority raw"),
    ...emptyChain(tables.filter, "transit", "forward priority filter"),
    ...countersOf(tables.filter, { kept: filters.map(({ id }) => id), gone }),
    // A zone of its own: flows that the kernel has seen before do not count.
    `add rule ${tables.filter} prerouting ct zone set ${filters[0]!.zone}`,
    ...filters.flatMap(({ id, spec }) => {
      const [from, to] = spec.between.map((name) => bridgeNamed(name, topology));
      const traffic = spec.traffic === undefined ? Object.values(matches) : [matches[spec.traffic]];
      const way = `iifname "${from}" oifname "${to}" ct state new,invalid,untracked`;
      return traffic
        .flat()
        .map((match) => `add rule ${tables.filter} transit ${way} ${match} ${counted(id)} drop`);
    }),
  ];
}

/** By traffic; pods' packets are those that are neither a node's nor from outside. */
function matchesOf({ outside, subnets }: Topology) {
  const hosts = [...subnets, outside];
  const hosts4 = hosts.map(({ prefix }) => formatPrefix(prefix)).join(", ");
  const hosts6 = hosts.map(({ prefix6 }) => formatPrefix(prefix6)).join(", ");
  return {
    ipip: ["ip protocol 4"],
    vxlan: ["udp dport 4789"],
    pods: [`ip saddr != { ${hosts4} }`, `ip6 saddr != { ${hosts6}, fe80::/10 }`],
  };
}
