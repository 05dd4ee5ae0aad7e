/** What the node tells its peers. */

import type { PolicyRule } from "../../bgp/index.ts";
import type { Prefix } from "../../lib/index.ts";

/** Own blocks and addresses of exported pools go out; what routers taught us does not. */
export function exportPolicy(exported: readonly Prefix[]): PolicyRule[] {
  return [
    { source: "originated", action: "accept" },
    ...(exported.length > 0
      ? [{ prefixes: exported.map((prefix) => ({ prefix })), action: "accept" } as const]
      : []),
    { action: "reject" },
  ];
}

/** Any value above 0, which a route without MULTI_EXIT_DISC counts as (RFC 4271 section 9.1.2.2 c). */
const RELAYED_MED = 100;

/**
 * A router that peers with every node must prefer a block's own node to those that relay its route: both
 * paths are equally long, and the next tie-break would send everything through one node, in plain mode
 * even round in circles.
 */
export function externalPolicy(policy: readonly PolicyRule[]): PolicyRule[] {
  return policy.flatMap((rule) =>
    rule.action === "accept" && rule.source === undefined
      ? [{ ...rule, source: "ibgp" as const, set: { ...rule.set, med: RELAYED_MED } }, rule]
      : [rule],
  );
}
