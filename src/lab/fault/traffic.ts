/** Sorts of traffic that a fault may be limited to, as matches of nft. Pure. */

import { formatPrefix } from "../../lib/index.ts";
import type { Topology } from "../topology.ts";
import { type FaultTraffic, faultTraffic } from "./spec.ts";

/** All sorts unless told; one rule for each match. What nodes say to each other themselves is in none. */
export function trafficMatches(traffic: FaultTraffic | undefined, topology: Topology): string[] {
  const sorts = traffic === undefined ? faultTraffic : [traffic];
  return sorts.flatMap((sort) => matchesOf(sort, topology));
}

function matchesOf(traffic: FaultTraffic, { outside, subnets }: Topology): string[] {
  switch (traffic) {
    case "ipip":
      return ["ip protocol 4"];
    case "vxlan":
      return ["udp dport 4789"];
    case "pods": {
      // Neither a node's nor from outside.
      const hosts = [...subnets, outside];
      const hosts4 = hosts.map(({ prefix }) => formatPrefix(prefix)).join(", ");
      const hosts6 = hosts.map(({ prefix6 }) => formatPrefix(prefix6)).join(", ");
      return [`ip saddr != { ${hosts4} }`, `ip6 saddr != { ${hosts6}, ::, fe80::/10 }`];
    }
  }
}
