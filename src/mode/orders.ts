/**
 * What the orders of running mode changes mean for one node: which pools it plans with, and what it must be
 * ready to receive. Pure; agents ask it in every pass.
 */

import { type IPPool, type ModeChange, type ModeName, modeFields } from "../model/index.ts";

/** Those that agents obey now, in the order in which they were made. */
export function orderedChanges(changes: readonly ModeChange[]): readonly ModeChange[] {
  const ordered = changes.filter(({ status }) => status?.orders !== undefined);
  if (ordered.length < 2) return ordered;
  const age = ({ metadata: { creationTimestamp = "", name } }: ModeChange) =>
    `${creationTimestamp} ${name}`;
  return ordered.toSorted((a, b) => (age(a) < age(b) ? -1 : 1));
}

/** Whether this node is among those that send the new way. */
export function isMoved({ status }: ModeChange, node: string): boolean {
  const moved = status?.orders?.moved ?? [];
  return moved === "all" || moved.includes(node);
}

/** The pools a node plans with: those whose change has moved it say the new mode already. */
export function orderedPools(
  pools: readonly IPPool[],
  changes: readonly ModeChange[],
  node: string,
): readonly IPPool[] {
  const moving = changes.filter((change) => isMoved(change, node));
  if (moving.length === 0) return pools;
  return pools.map((pool) => {
    const to = moving.find(({ spec }) => spec.pool === pool.metadata.name)?.spec.to;
    return to === undefined ? pool : { ...pool, spec: { ...pool.spec, ...modeFields(to) } };
  });
}

/** Blocks of a pool that every node sends the new way, whether it is moved or not. */
export function orderedBlocks(
  pool: string,
  changes: readonly ModeChange[],
): readonly { readonly cidr: string; readonly to: ModeName }[] {
  return changes.flatMap(({ spec, status }) => {
    const { to } = spec;
    if (spec.pool !== pool || to === undefined) return [];
    return (status?.orders?.blocks ?? []).map((cidr) => ({ cidr, to }));
  });
}

/** Every pool as it will be: what must be receivable while the change has orders. */
export function widenedPools(
  pools: readonly IPPool[],
  changes: readonly ModeChange[],
): readonly IPPool[] {
  return changes.flatMap((change) => {
    const widened = change.status?.orders?.widen ? changedPool(pools, change) : undefined;
    return widened ? [widened] : [];
  });
}

/** The pool of a change as it will be; undefined if it is of no pool, or of one that is not there. */
export function changedPool(
  pools: readonly IPPool[],
  { spec: { pool: name, to } }: Pick<ModeChange, "spec">,
): IPPool | undefined {
  const pool = pools.find(({ metadata }) => metadata.name === name);
  return pool && to && { ...pool, spec: { ...pool.spec, ...modeFields(to) } };
}

/** The guard's: the one that nodes are probed for, or one of the mesh where there is no pool to probe in. */
export function guardedChange(
  pools: readonly IPPool[],
  changes: readonly ModeChange[],
): ModeChange | undefined {
  const mesh = orderedChanges(changes).find(({ spec }) => spec.mesh !== undefined);
  return probedChange(pools, changes)?.change ?? mesh;
}

/** Every node can have an address in it, and BGP tells of it; first of all where plain routes depend on that. */
function meshPool(pools: readonly IPPool[]): IPPool | undefined {
  const order = ({ metadata, spec }: IPPool) => {
    const viaBgp = spec.vxlanMode !== "Always";
    return `${viaBgp ? 0 : 1} ${spec.cidr.includes(":") ? 6 : 4} ${metadata.name}`;
  };
  const usable = pools.filter(
    ({ spec: { disabled, disableBGPExport, nodeSelector = "all()", allowedUses } }) =>
      !disabled &&
      !disableBGPExport &&
      (nodeSelector.trim() === "" || nodeSelector.trim() === "all()") &&
      (allowedUses === undefined || allowedUses.includes("Workload")),
  );
  return usable.toSorted((a, b) => (order(a) < order(b) ? -1 : 1))[0];
}

export interface ProbedChange {
  readonly change: ModeChange;
  /** As it will be. */
  readonly pool: IPPool;
}

/**
 * The change that nodes are probed for: a node has one probe address, in the pool of the oldest that has orders. A
 * change of the mesh is watched in a pool whose routes BGP brings, if there is one.
 */
export function probedChange(
  pools: readonly IPPool[],
  changes: readonly ModeChange[],
): ProbedChange | undefined {
  for (const change of orderedChanges(changes)) {
    const pool = change.spec.mesh === undefined ? changedPool(pools, change) : meshPool(pools);
    if (pool) return { change, pool };
  }
  return undefined;
}
