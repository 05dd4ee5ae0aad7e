/** Pools of which some blocks go another way than the rest, because a mode change orders it. Pure. */

import { maskPrefix, parsePrefix } from "../lib/index.ts";
import { orderedBlocks } from "../mode/index.ts";
import { type ModeChange, modeFields } from "../model/index.ts";
import type { PoolFacts, PoolPart } from "../plan/index.ts";

/** What cannot be read orders nothing. */
export function withParts(
  pools: readonly PoolFacts[],
  changes: readonly ModeChange[],
): readonly PoolFacts[] {
  return pools.map((pool) => {
    const parts = orderedBlocks(pool.name, changes).flatMap(({ cidr: text, to }): PoolPart[] => {
      const cidr = parsePrefix(text);
      const { ipipMode = "Never", vxlanMode = "Never" } = modeFields(to);
      return cidr ? [{ cidr: maskPrefix(cidr), ipipMode, vxlanMode }] : [];
    });
    return parts.length === 0 ? pool : { ...pool, parts };
  });
}
