/** What the orders of mode changes put into a node's snapshot: where it is probed, and what is to be proved. Pure. */

import { poolFacts } from "../facts/index.ts";
import { type IpAddress, prefixContains } from "../lib/index.ts";
import { probedChange } from "../mode/index.ts";
import type { IPPool, ModeChange } from "../model/index.ts";
import type { PoolFacts, Snapshot } from "../plan/index.ts";

export interface ProbingInput {
  readonly pools: readonly IPPool[];
  readonly modeChanges: readonly ModeChange[];
}

/** The pool that nodes are probed for, as it will be; undefined while no change of a usable pool has orders. */
export function probedPool({ pools, modeChanges }: ProbingInput): PoolFacts | undefined {
  const probed = probedChange(pools, modeChanges);
  try {
    return probed && poolFacts(probed.pool)[0];
  } catch {
    // It is named among the problems of the cluster.
    return undefined;
  }
}

/** `address`: what IPAM gave this node, for this change or for one before. */
export function probing(
  input: ProbingInput,
  address: IpAddress | undefined,
): Pick<Snapshot, "probeAddress" | "proof"> {
  const pool = probedPool(input);
  if (!pool || address === undefined || !prefixContains(pool.cidr, address)) return {};
  const { orders } = probedChange(input.pools, input.modeChanges)?.change.status ?? {};
  const proves = orders?.widen && orders.prove !== "no";
  return { probeAddress: address, ...(proves && { proof: { pool } }) };
}
