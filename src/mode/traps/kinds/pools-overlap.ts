/** Two pools with common addresses: blocks of the one would be taken for the other's. */

import { parsePrefix, prefixesOverlap } from "../../../lib/index.ts";
import type { TrapKind } from "../types.ts";
import { listed } from "../words.ts";

export const poolsOverlap: TrapKind = {
  code: "POOLS_OVERLAP",
  meaning:
    "Another pool, disabled or not, has addresses of this pool. Which of both modes a block gets depends on the order in which pools are listed.",
  remedy: "Give every pool addresses of its own before changing a mode.",
  find: ({ view, pool, cidr }) => {
    if (!pool || !cidr) return [];
    const others = view.pools.flatMap(({ metadata, spec }) => {
      const prefix = parsePrefix(spec.cidr);
      const same = metadata.name === pool.metadata.name;
      const apart = same || !prefix || !prefixesOverlap(prefix, cidr);
      if (apart) return [];
      return [`${metadata.name} (${spec.cidr}${spec.disabled ? ", disabled" : ""})`];
    });
    if (others.length === 0) return [];
    const message = `IPPool ${pool.metadata.name} (${pool.spec.cidr}) overlaps ${listed(others)}: some of its blocks may keep the other's mode, or change with it`;
    return [{ severity: "refuse", message, nodes: [] }];
  },
};
