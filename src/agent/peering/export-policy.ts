/** What the node tells its peers: Calico's rules, in Calico's order. */

import type { PolicyRule } from "../../bgp/index.ts";
import type { Family, Prefix } from "../../lib/index.ts";
import { localPrefOf } from "./filter-rules.ts";

export interface ExportInput {
  /** Of pools whose addresses are told, and of those with `disableBGPExport`. */
  readonly exported: readonly Prefix[];
  readonly hidden: readonly Prefix[];
  /** What a reflector hands on of services. */
  readonly services: readonly Prefix[];
  /** By family: that add communities. */
  readonly advertisements: Readonly<Record<Family, readonly PolicyRule[]>>;
  /** By family: the priority of routes that nothing gives another. */
  readonly priority: Readonly<Record<Family, number>>;
}

export interface ExportTarget {
  readonly family: Family;
  /** The peer is a router outside of the cluster's AS. */
  readonly external?: boolean;
  /** The export rules of its BGPFilters. */
  readonly filters?: readonly PolicyRule[];
}

/**
 * A router that peers with every node must prefer a block's own node to those that relay its route: both
 * paths are equally long, and the next tie-break would send everything through one node, in plain mode
 * even round in circles. Any value above 0, which a route without MULTI_EXIT_DISC counts as (RFC 4271
 * section 9.1.2.2 c); set before the filters, so that what they accept has it too.
 */
const relayed: PolicyRule = { source: "ibgp", action: "continue", set: { med: 100 } };

/** Peers that are told the same get the identical policy, so that it is made ready once. */
export class ExportPolicies {
  readonly #input: ExportInput;
  readonly #made = new Map<string, readonly PolicyRule[]>();

  constructor(input: ExportInput) {
    this.#input = input;
  }

  of({ family, external = false, filters = [] }: ExportTarget): readonly PolicyRule[] {
    if (filters.length > 0) return this.#make(family, external, filters);
    const key = `${family} ${external}`;
    let made = this.#made.get(key);
    if (made === undefined) {
      made = this.#make(family, external, filters);
      this.#made.set(key, made);
    }
    return made;
  }

  /**
   * Own blocks, addresses of exported pools and, by a reflector, addresses of services go out; what routers
   * taught us does not. Nobody but a reflector hands on addresses of services: a node sends what comes for them
   * to its own service proxy, never to the node that told of them. What a filter accepts or rejects is decided.
   */
  #make(family: Family, external: boolean, filters: readonly PolicyRule[]): PolicyRule[] {
    const { exported, hidden, services, advertisements, priority } = this.#input;
    const within = (prefixes: readonly Prefix[]) => prefixes.map((prefix) => ({ prefix }));
    const pools = [...exported, ...services];
    return [
      {
        source: "originated",
        action: "continue",
        set: { localPref: localPrefOf(priority[family]) },
      },
      ...(external ? [relayed] : []),
      ...filters,
      ...(hidden.length > 0 ? [{ prefixes: within(hidden), action: "reject" } as const] : []),
      ...advertisements[family],
      ...(pools.length > 0 ? [{ prefixes: within(pools), action: "accept" } as const] : []),
      // A pod's address outside of all pools is nobody else's business; a block outside of them is ours.
      { source: "originated", devices: ["*"], action: "reject" },
      { source: "originated", action: "accept" },
      { action: "reject" },
    ];
  }
}
