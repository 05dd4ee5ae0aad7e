/**
 * Where a cluster stands: per pool what it says and who has come there, per node what it accepts and
 * sends, over all how many ways between two nodes wear which encapsulation. Pure.
 */

import {
  type Encapsulation,
  encapsulations,
  type IPPool,
  type NetworkMode,
  type Node,
  type NodeMode,
  poolMode,
} from "../model/index.ts";

export interface PoolStanding {
  readonly name: string;
  readonly cidr: string;
  readonly mode: NetworkMode;
  /** Nodes that have realised the pool as it is stored now. */
  readonly realisedBy: number;
  /** Nodes that have not, each with why. */
  readonly behind: readonly { readonly node: string; readonly waiting: readonly string[] }[];
}

export interface NodeStanding {
  readonly node: string;
  readonly accepts: readonly Encapsulation[];
  readonly sends: readonly Encapsulation[];
  /** Remote blocks by what is sent to them. */
  readonly destinations: Readonly<Partial<Record<Encapsulation, number>>>;
  readonly failures: readonly string[];
  /** RFC 3339: when the node last said something new; undefined if it never has. */
  readonly updatedAt: string | undefined;
}

export interface ModeStatus {
  readonly pools: readonly PoolStanding[];
  readonly nodes: readonly NodeStanding[];
  /** Ways from a node to a remote block, by encapsulation, over the whole cluster. */
  readonly ways: Readonly<Partial<Record<Encapsulation, number>>>;
  /** Every node has realised every pool. */
  readonly settled: boolean;
}

/** O(nodes x pools). A node in the datastore that has published nothing is behind in every pool. */
export function modeStatus(cluster: {
  readonly nodes: readonly Node[];
  readonly pools: readonly IPPool[];
  readonly nodeModes: readonly NodeMode[];
}): ModeStatus {
  const published = new Map(cluster.nodeModes.map((mode) => [mode.metadata.name, mode.status]));
  const names = cluster.nodes.map((node) => node.metadata.name).sort();
  const pools = cluster.pools.map((pool): PoolStanding => {
    const behind = names.flatMap((node) => {
      const waiting = reasons(pool, published.get(node));
      return waiting === undefined ? [] : [{ node, waiting }];
    });
    return {
      name: pool.metadata.name,
      cidr: pool.spec.cidr,
      mode: poolMode(pool.spec),
      realisedBy: names.length - behind.length,
      behind,
    };
  });
  const nodes = names.map((node): NodeStanding => {
    const status = published.get(node);
    return {
      node,
      accepts: status?.accepts ?? [],
      sends: status?.sends ?? [],
      destinations: status?.destinations ?? {},
      failures: status?.failures ?? [],
      updatedAt: status?.updatedAt,
    };
  });
  return {
    pools,
    nodes,
    ways: sumWays(nodes),
    settled: pools.every((pool) => pool.behind.length === 0),
  };
}

/** Why a node has not realised a pool; undefined if it has. */
function reasons(pool: IPPool, status: NodeMode["status"]): readonly string[] | undefined {
  if (!status) return ["has published nothing: is its agent running?"];
  const progress = status.pools[pool.metadata.name];
  if (!progress || progress.resourceVersion !== pool.metadata.resourceVersion) {
    return ["has not acted on the pool as it is now"];
  }
  return progress.realised ? undefined : progress.waiting;
}

function sumWays(nodes: readonly NodeStanding[]): Partial<Record<Encapsulation, number>> {
  const ways: Partial<Record<Encapsulation, number>> = {};
  for (const encapsulation of encapsulations) {
    const count = nodes.reduce((sum, node) => sum + (node.destinations[encapsulation] ?? 0), 0);
    if (count > 0) ways[encapsulation] = count;
  }
  return ways;
}
