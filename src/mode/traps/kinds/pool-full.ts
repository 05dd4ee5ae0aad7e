/** A change needs an address of each node: where it is probed, and for the new tunnel. */

import { parsePrefix, prefixCovers, prefixSize } from "../../../lib/index.ts";
import type { TrapKind } from "../types.ts";

export const poolFull: TrapKind = {
  code: "POOL_FULL",
  meaning:
    "The pool has fewer free addresses than the change needs: one for each node, at which it is probed, and one more where it has no address of the new tunnel yet.",
  remedy: "Release addresses that nobody uses, or add a pool for new pods and let some move.",
  find: ({ pool, cidr, blocks, nodes, tunnel, oldTunnel }) => {
    if (!pool || !cidr || !blocks) return [];
    const inside = blocks.flatMap(({ spec }) => {
      const prefix = parsePrefix(spec.cidr);
      return prefix && prefixCovers(cidr, prefix)
        ? [{ prefix, free: spec.unallocated.length }]
        : [];
    });
    const held = inside.reduce((sum, { prefix }) => sum + prefixSize(prefix), 0);
    const free = prefixSize(cidr) - held + inside.reduce((sum, block) => sum + block.free, 0);
    const perNode = tunnel !== undefined && tunnel !== oldTunnel ? 2 : 1;
    const needed = nodes.filter(({ mode }) => !mode?.probeAddress).length * perNode;
    if (free >= needed) return [];
    const message = `IPPool ${pool.metadata.name} has ${free} free addresses, and the change needs ${needed} on ${nodes.length} nodes`;
    return [{ severity: "refuse", message, nodes: [] }];
  },
};
