/** Faults that drop packets at a port of the router by what they are. Pure. */

import { formatAddress } from "../../lib/index.ts";
import type { Topology } from "../topology.ts";
import { hexSet, numberOf } from "./marks.ts";
import { anyOf, counted, words } from "./nft-words.ts";
import { type Edge, edgesOf } from "./place.ts";
import type { FaultRecord } from "./spec.ts";
import { trafficMatches } from "./traffic.ts";

export interface PortRule {
  readonly chain: "ingress" | "egress";
  readonly rule: string;
}

/** @throws INVALID_ARGUMENT for a place that the lab does not have. */
export function dropRules({ id, spec }: FaultRecord, topology: Topology): PortRule[] {
  const at = (edges: readonly Edge[], match: string) =>
    edges.map((edge) => dropRule(edge, { id, match, topology }));
  switch (spec.kind) {
    case "drop-ipip":
      return at(edgesOf(spec, topology), "ip protocol 4");
    case "drop-vxlan":
      return at(edgesOf(spec, topology), "udp dport 4789");
    case "cut":
      return at(edgesOf(spec, topology), "");
    case "loss": {
      const share = `numgen random mod 100000 < ${Math.round(spec.percent * 1000)}`;
      const edges = edgesOf(spec, topology);
      if (spec.traffic === undefined) return at(edges, share);
      return trafficMatches(spec.traffic, topology).flatMap((match) =>
        at(edges, `${match} ${share}`),
      );
    }
    case "source-check": {
      const edges = edgesOf(spec, topology);
      return topology.nodes.flatMap(({ name, address, address6 }) => {
        const sent = edges
          .filter(({ from }) => from === "any" || from.includes(name))
          .map(({ to }) => ({ from: [name], to }));
        const own6 = ["::", "fe80::/10", ...(address6 ? [formatAddress(address6)] : [])];
        return [
          ...at(sent, `ip saddr != ${formatAddress(address)}`),
          ...at(sent, `ip6 saddr != { ${own6.join(", ")} }`),
        ];
      });
    }
    default:
      return [];
  }
}

/** What goes anywhere is dropped where it comes in, so that the router itself does not get it either. */
function dropRule(
  { from, to }: Edge,
  drop: { readonly id: number; readonly match: string; readonly topology: Topology },
): PortRule {
  const end = words(drop.match, counted(drop.id), "drop");
  if (to === "any" && from !== "any") {
    return { chain: "ingress", rule: words(`iifname ${anyOf(from)}`, end) };
  }
  const numbers = from === "any" ? [] : from.map((port) => numberOf(port, drop.topology));
  const entry = from === "any" ? "" : `meta mark & 0xff ${hexSet(numbers)}`;
  return { chain: "egress", rule: words(to === "any" ? "" : `oifname ${anyOf(to)}`, entry, end) };
}
