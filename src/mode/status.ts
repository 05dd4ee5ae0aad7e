/**
 * Where a cluster stands: per pool what it says and who has come there, per node what it accepts and
 * sends, over all how many ways between two nodes wear which encapsulation, which changes run, and where kernels
 * do what nobody asked for. Pure.
 */

import {
  type BlockAffinity,
  type Encapsulation,
  encapsulations,
  type IPPool,
  type ModeChange,
  type NetworkMode,
  type Node,
  type NodeMode,
  poolMode,
} from "../model/index.ts";
import { isMoved } from "./orders.ts";
import { type SubnetWays, wantedWays } from "./ways.ts";

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
  /** What it keeps although no pool needs it, and why. */
  readonly kept: readonly string[];
  /** RFC 3339: when the node last said something new; undefined if it never has. */
  readonly updatedAt: string | undefined;
}

/** A change that runs. */
export interface ChangeStanding {
  readonly name: string;
  readonly pool: string | undefined;
  readonly from: string;
  readonly to: string;
  readonly phase: string;
  /** RFC 3339. */
  readonly since: string | undefined;
  /** Nodes that say that they send the new way. */
  readonly moved: number;
  readonly driver: string | undefined;
  readonly paused: boolean;
  /** RFC 3339: when it goes back unless it is confirmed; undefined while it waits for nobody. */
  readonly goesBackAt: string | undefined;
}

/** A node sends what neither its pools nor a change ask of it, and waits for nothing. */
export interface Drift {
  readonly node: string;
  readonly encapsulation: Encapsulation;
  readonly blocks: number;
}

export interface ModeStatus {
  readonly changes: readonly ChangeStanding[];
  readonly pools: readonly PoolStanding[];
  readonly nodes: readonly NodeStanding[];
  /** Ways from a node to a remote block, by encapsulation, over the whole cluster. */
  readonly ways: Readonly<Partial<Record<Encapsulation, number>>>;
  /** What is asked for between whom. */
  readonly subnets: readonly SubnetWays[];
  readonly drift: readonly Drift[];
  /** Every node has realised every pool, and no change runs. */
  readonly settled: boolean;
}

export interface ClusterMode {
  readonly nodes: readonly Node[];
  readonly pools: readonly IPPool[];
  readonly nodeModes: readonly NodeMode[];
  readonly changes: readonly ModeChange[];
  readonly affinities: readonly BlockAffinity[];
}

/** O(nodes x blocks). A node in the datastore that has published nothing is behind in every pool. */
export function modeStatus(cluster: ClusterMode): ModeStatus {
  const published = new Map(cluster.nodeModes.map((mode) => [mode.metadata.name, mode.status]));
  const names = cluster.nodes.map((node) => node.metadata.name).sort();
  const running = cluster.changes.filter(({ status }) => !ends.has(status?.phase ?? ""));
  const { bySubnet, byNode } = wantedWays({ ...cluster, changes: running });
  const pools = cluster.pools.map((pool): PoolStanding => {
    const behind = names.flatMap((node) => {
      const waiting = reasons(pool, published.get(node), moverOf(pool, running, node));
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
      kept: status?.kept ?? [],
      updatedAt: status?.updatedAt,
    };
  });
  return {
    changes: running.map((change) => changeStanding(change, cluster.nodeModes)),
    pools,
    nodes,
    ways: sumWays(nodes),
    subnets: bySubnet,
    drift: driftOf(cluster, byNode),
    settled: running.length === 0 && pools.every((pool) => pool.behind.length === 0),
  };
}

const ends: ReadonlySet<string> = new Set(["Done", "Refused", "RolledBack"]);

function changeStanding(change: ModeChange, nodeModes: readonly NodeMode[]): ChangeStanding {
  const { metadata, spec, status } = change;
  const { name } = metadata;
  return {
    name,
    pool: spec.pool,
    from: status?.from ?? "-",
    to: spec.to ?? spec.mesh ?? "-",
    phase: status?.phase ?? "not begun",
    since: status?.phaseSince,
    moved: nodeModes.filter((mode) => mode.status?.changes?.[name]?.moved).length,
    driver: status?.driver,
    paused: spec.paused ?? false,
    goesBackAt:
      status?.phase === "AwaitingConfirm" && !spec.confirmed ? status.confirmBy : undefined,
  };
}

/** The change that lets this node plan with another mode than the pool says. */
function moverOf(
  pool: IPPool,
  running: readonly ModeChange[],
  node: string,
): ModeChange | undefined {
  return running.find((change) => change.spec.pool === pool.metadata.name && isMoved(change, node));
}

/** Nodes that wait, or have not seen a pool as it is now, are on their way and no drift. */
function driftOf(
  { pools, nodeModes }: ClusterMode,
  wanted: ReadonlyMap<string, ReadonlySet<Encapsulation>>,
): readonly Drift[] {
  return nodeModes.flatMap(({ metadata: { name }, status }) => {
    const asked = wanted.get(name);
    const arrived = pools.every(({ metadata }) => {
      const progress = status?.pools[metadata.name];
      return progress?.realised && progress.resourceVersion === metadata.resourceVersion;
    });
    if (!status || !asked || !arrived) return [];
    return encapsulations.flatMap((encapsulation) => {
      const blocks = status.destinations[encapsulation] ?? 0;
      return blocks === 0 || asked.has(encapsulation)
        ? []
        : [{ node: name, encapsulation, blocks }];
    });
  });
}

/** Why a node has not realised a pool; undefined if it has. */
function reasons(
  pool: IPPool,
  status: NodeMode["status"],
  mover: ModeChange | undefined,
): readonly string[] | undefined {
  if (!status) return ["has published nothing: is its agent running?"];
  const progress = status.pools[pool.metadata.name];
  if (!progress || progress.resourceVersion !== pool.metadata.resourceVersion) {
    return ["has not acted on the pool as it is now"];
  }
  if (mover) {
    const { spec, metadata } = mover;
    return [`plans with ${spec.to} by ${metadata.name}`, ...progress.waiting];
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
