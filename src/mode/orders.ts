/**
 * What the orders of running mode changes mean for one node: which pools it plans with, and what it must be
 * ready to receive. Pure; agents ask it in every pass.
 */

import { type IPPool, type ModeChange, modeFields } from "../model/index.ts";

/** Whether this node is among those that send the new way. */
function isMoved({ status }: ModeChange, node: string): boolean {
  const moved = status?.orders?.moved ?? [];
  return moved === "all" || moved.includes(node);
}

/** The pools a node plans with: those whose change has moved it say the new mode already. */
export function orderedPools(
  pools: readonly IPPool[],
  changes: readonly ModeChange[],
  node: string,
): readonly IPPool[] {
  const moving = changes.filter(
    (change) => change.spec.blocks === undefined && isMoved(change, node),
  );
  if (moving.length === 0) return pools;
  return pools.map((pool) => {
    const to = moving.find(({ spec }) => spec.pool === pool.metadata.name)?.spec.to;
    return to === undefined ? pool : { ...pool, spec: { ...pool.spec, ...modeFields(to) } };
  });
}

/** Every pool as it will be: what must be receivable while the change has orders. */
export function widenedPools(
  pools: readonly IPPool[],
  changes: readonly ModeChange[],
): readonly IPPool[] {
  return pools.flatMap((pool) =>
    changes.flatMap(({ spec, status }) =>
      spec.pool === pool.metadata.name && spec.to !== undefined && status?.orders?.widen
        ? [{ ...pool, spec: { ...pool.spec, ...modeFields(spec.to) } }]
        : [],
    ),
  );
}
