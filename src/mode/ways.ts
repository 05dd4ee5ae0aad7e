/**
 * Which encapsulation the pools, and the orders of running changes, ask for between whom: per pair of subnets to
 * be looked at, per node to be held against what its kernel really does. By the rule the planner has. Pure.
 */

import { clusterFacts, poolFacts } from "../facts/index.ts";
import { formatPrefix, maskPrefix, prefixCovers, prefixFamily } from "../lib/index.ts";
import type { BlockAffinity, Encapsulation, IPPool, ModeChange, Node } from "../model/index.ts";
import { addressOf, type NodeAddress, type PoolFacts, wantedEncapsulation } from "../plan/index.ts";
import { orderedPools } from "./orders.ts";
import { vxlanMacOf } from "./vxlan-mac.ts";

export type WayCounts = Readonly<Partial<Record<Encapsulation, number>>>;

/** From every node of one subnet to every block of the nodes of another, or of its own. */
export interface SubnetWays {
  readonly from: string;
  readonly to: string;
  readonly wanted: WayCounts;
}

export interface WantedWays {
  readonly bySubnet: readonly SubnetWays[];
  /** Encapsulations that a node is to send; none for a node whose mask only its host knows. */
  readonly byNode: ReadonlyMap<string, ReadonlySet<Encapsulation>>;
}

export interface WaysInput {
  readonly nodes: readonly Node[];
  readonly pools: readonly IPPool[];
  readonly affinities: readonly BlockAffinity[];
  readonly changes: readonly ModeChange[];
}

/** O(nodes x blocks). */
export function wantedWays(input: WaysInput): WantedWays {
  const facts = clusterFacts({ ...nothing, ...input }, "", vxlanMacOf);
  const remotes = new Map(facts.nodes.map((node) => [node.name, node]));
  const bySubnet = new Map<string, SubnetSum>();
  const byNode = new Map<string, ReadonlySet<Encapsulation>>();
  for (const local of facts.nodes) {
    const sent = new Set<Encapsulation>();
    const pools = poolsOf(local.name, input, facts.pools);
    let certain = true;
    for (const { prefix, node } of facts.blocks) {
      const family = prefixFamily(prefix);
      const remote = node === local.name ? undefined : remotes.get(node);
      const pool = pools.find(({ cidr }) => prefixCovers(cidr, prefix));
      const [here, there] = [addressOf(local, family), remote && addressOf(remote, family)];
      if (!pool || !here || !there) continue;
      const wanted = wantedEncapsulation(pool, here, there);
      add(bySubnet, { from: subnetOf(here), to: subnetOf(there), wanted });
      sent.add(wanted);
      certain &&= here.prefixLength < (family === 4 ? 32 : 128);
    }
    if (certain) byNode.set(local.name, sent);
  }
  const ways = [...bySubnet.values()].map(({ from, to, wanted }) => {
    return { from, to, wanted: Object.fromEntries(wanted) };
  });
  const order = (one: SubnetWays) => `${one.from} ${one.to}`;
  return { bySubnet: ways.sort((a, b) => (order(a) < order(b) ? -1 : 1)), byNode };
}

const nothing = {
  workloads: [],
  bgpConfigurations: [],
  bgpPeers: [],
  bgpFilters: [],
  felixConfigurations: [],
  nodeModes: [],
  modeChanges: [],
  borrowed: [],
};

interface SubnetSum {
  readonly from: string;
  readonly to: string;
  readonly wanted: Map<Encapsulation, number>;
}

function add(
  sums: Map<string, SubnetSum>,
  way: { readonly from: string; readonly to: string; readonly wanted: Encapsulation },
): void {
  const { from, to, wanted } = way;
  const key = `${from} ${to}`;
  const sum = sums.get(key) ?? { from, to, wanted: new Map<Encapsulation, number>() };
  sums.set(key, sum);
  sum.wanted.set(wanted, (sum.wanted.get(wanted) ?? 0) + 1);
}

/** As this node plans with them: a change that has moved it counts already. */
function poolsOf(
  node: string,
  { pools, changes }: WaysInput,
  stored: readonly PoolFacts[],
): readonly PoolFacts[] {
  const planned = orderedPools(pools, changes, node);
  if (planned === pools) return stored;
  const usable = new Set(stored.map(({ name }) => name));
  return planned.filter(({ metadata }) => usable.has(metadata.name)).flatMap(poolFacts);
}

function subnetOf({ address, prefixLength }: NodeAddress): string {
  return formatPrefix(maskPrefix({ address, length: prefixLength }));
}
