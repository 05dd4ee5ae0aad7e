/** What the node tells its peers. */

import type { PolicyRule } from "../../bgp/index.ts";
import type { Prefix } from "../../lib/index.ts";

/**
 * Own blocks, addresses of exported pools and, by a reflector, addresses of services go out; what routers
 * taught us does not. Nobody but a reflector hands on addresses of services: a node sends what comes for them
 * to its own service proxy, never to the node that told of them.
 */
export function exportPolicy(
  exported: readonly Prefix[],
  services: readonly Prefix[],
): PolicyRule[] {
  const relayed = [...exported, ...services];
  return [
    { source: "originated", action: "accept" },
    ...(relayed.length > 0
      ? [{ prefixes: relayed.map((prefix) => ({ prefix })), action: "accept" } as const]
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
