/** What the node originates. */

import type { OriginatedRoute } from "../../bgp/index.ts";
import { hostPrefix, isHostPrefix, prefixCovers } from "../../lib/index.ts";
import type { BlockFacts, WorkloadFacts } from "../../plan/index.ts";

/**
 * Blocks, and the addresses of pods outside of them: borrowed from another node's block, or in a block
 * of one address, which says nothing as long as nobody uses it.
 */
export function ownPrefixes({
  node,
  blocks,
  workloads,
}: {
  readonly node: string;
  readonly blocks: readonly BlockFacts[];
  readonly workloads: readonly WorkloadFacts[];
}): OriginatedRoute[] {
  const own = blocks.flatMap((block) => (block.node === node ? [block.prefix] : []));
  const wide = own.filter((prefix) => !isHostPrefix(prefix));
  const outside = workloads
    .map(({ address, device }) => ({ prefix: hostPrefix(address), device }))
    .filter((pod) => !wide.some((prefix) => prefixCovers(prefix, pod.prefix)));
  return [...wide.map((prefix) => ({ prefix })), ...outside];
}
