/** How far this node has come with each pool: what NodeMode and `node status` say. Pure. */

import { formatPrefix } from "../lib/index.ts";
import { type Encapsulation, type IPPool, type NodeModeStatus, poolMode } from "../model/index.ts";
import type { Destination } from "../plan/index.ts";

type PoolProgress = NodeModeStatus["pools"][string];

/** Causes named per pool; the rest is counted. */
const MOST_CAUSES = 8;

export function poolProgress(
  pool: IPPool,
  destinations: readonly Destination[],
  current: ReadonlyMap<string, Encapsulation>,
): PoolProgress {
  const causes = new Set<string>();
  let behind = 0;
  for (const destination of destinations) {
    if (destination.pool !== pool.metadata.name) continue;
    const prefix = formatPrefix(destination.prefix);
    if (current.get(prefix) === destination.wanted) continue;
    behind++;
    causes.add(destination.waiting ?? `the route to ${prefix} is not in the kernel yet`);
  }
  const waiting = [...causes].slice(0, MOST_CAUSES);
  if (causes.size > MOST_CAUSES) waiting.push(`and ${causes.size - MOST_CAUSES} more`);
  return {
    mode: poolMode(pool.spec),
    resourceVersion: pool.metadata.resourceVersion ?? "",
    realised: behind === 0,
    waiting,
  };
}

/** Remote blocks by what is sent to them. */
export function countDestinations(
  destinations: readonly Destination[],
  current: ReadonlyMap<string, Encapsulation>,
): Partial<Record<Encapsulation, number>> {
  const counts: Partial<Record<Encapsulation, number>> = {};
  for (const { prefix } of destinations) {
    const encapsulation = current.get(formatPrefix(prefix));
    if (encapsulation) counts[encapsulation] = (counts[encapsulation] ?? 0) + 1;
  }
  return counts;
}
