/** Fields that stand where they are not obeyed: said aloud, so that nobody relies on them. Pure. */

import type { BGPConfiguration } from "../../model/index.ts";

/** What Calico obeys in a `node.NAME`; `communities` are names for its advertisements. */
const ofNodes = new Set(["listenPort", "logSeverityScreen", "prefixAdvertisements", "communities"]);

/** Of the object for one node: what only `default` may say. */
export function misplacedFields(
  configurations: readonly BGPConfiguration[],
  node: string,
): string[] {
  const own = configurations.find(({ metadata }) => metadata.name === `node.${node}`);
  if (own === undefined) return [];
  return (
    Object.entries(own.spec)
      .filter(([field, value]) => isSet(value) && !ofNodes.has(field))
      // The server writes this default.
      .filter(([field, value]) => field !== "serviceLoadBalancerAggregation" || value !== "Enabled")
      .map(([field]) => `BGPConfiguration node.${node}: spec.${field} is obeyed in default only`)
  );
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
}
