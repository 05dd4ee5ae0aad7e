/** What every node plans with before and after a change, as its agent will find it. */

import { poolFacts, sharedFacts } from "../../facts/index.ts";
import { formatPrefix } from "../../lib/index.ts";
import type { Encapsulation, IPPool, WorkloadEndpoint } from "../../model/index.ts";
import { chooseDestinations, poolTunnel, type Snapshot } from "../../plan/index.ts";
import { changedPool } from "../orders.ts";
import { vxlanMacOf } from "../vxlan-mac.ts";
import { withTunnelAddresses } from "./placeholders.ts";
import { publishedHost, type SettledCluster, settledCluster, settledSnapshot } from "./settled.ts";
import type { PreviewInput } from "./types.ts";

export interface NodeSnapshots {
  readonly node: string;
  readonly before: Snapshot;
  readonly after: Snapshot;
  readonly bgpSessions: number;
}

export interface Foreseen {
  /** One node at a time: all of a large cluster are more than need be held at once. */
  readonly snapshots: Iterable<NodeSnapshots | { readonly node: string; readonly why: string }>;
  /** Words instead of addresses that nobody knows yet. */
  readonly worded: (line: string) => string;
}

/** O(nodes + blocks) for each node. */
export function foresee(input: PreviewInput): Foreseen {
  const { view, spec } = input;
  const changed = changedPool(view.pools, { spec });
  const pools = view.pools.map((pool) =>
    changed && pool.metadata.name === changed.metadata.name ? changed : pool,
  );
  const tunnels = new Set(pools.flatMap(tunnelsOf));
  const { nodes, worded } = withTunnelAddresses(view.nodes, pools, tunnels);
  const before = settledCluster(sharedFacts(view, vxlanMacOf), view.nodes, view);
  const later = { ...view, nodes, pools };
  const after = settledCluster(sharedFacts(later, vxlanMacOf), nodes, later);
  return { snapshots: eachNode(input, before, after), worded };
}

function tunnelsOf(pool: IPPool) {
  try {
    return poolFacts(pool).flatMap((facts) => poolTunnel(facts) ?? []);
  } catch {
    // Named by the traps.
    return [];
  }
}

function* eachNode(
  { view, nodeHosts }: PreviewInput,
  before: SettledCluster,
  after: SettledCluster,
): Generator<NodeSnapshots | { readonly node: string; readonly why: string }> {
  const hosts = new Map(nodeHosts.map(({ metadata, status }) => [metadata.name, status]));
  const silent = new Set(
    before.shared.nodes.flatMap(({ name, accepts }) => (accepts ? [] : [name])),
  );
  const { felixConfigurations, bgpConfigurations, bgpPeers, nodes } = view;
  const settings = { felixConfigurations, bgpConfigurations, bgpPeers, nodes };
  const workloads = byNode(view.workloads);
  for (const { metadata } of view.nodes) {
    const node = metadata.name;
    const status = hosts.get(node);
    const host = status && publishedHost(status);
    if (!host) {
      const why = status ? "no device of it holds its address" : "it has published no NodeHost";
      yield { node, why };
      continue;
    }
    const own = { node, host, bgp: status.bgp, workloads: workloads.get(node) ?? [] };
    const known = { ...own, ...settings };
    const old = settledSnapshot(before, { ...known, current: new Map() });
    const current = towards(old, silent);
    const next = settledSnapshot(after, { ...known, current });
    yield { node, before: old, after: next, bgpSessions: status.bgp?.sessions ?? 0 };
  }
}

/** Routes to nodes that have never spoken stay as they are. */
function towards(old: Snapshot, silent: ReadonlySet<string>): ReadonlyMap<string, Encapsulation> {
  if (silent.size === 0) return new Map();
  return new Map(
    chooseDestinations(old).flatMap(({ prefix, node, chosen }) =>
      chosen && silent.has(node) ? [[formatPrefix(prefix), chosen] as const] : [],
    ),
  );
}

function byNode(workloads: readonly WorkloadEndpoint[]): Map<string, WorkloadEndpoint[]> {
  const found = new Map<string, WorkloadEndpoint[]>();
  for (const workload of workloads) {
    const { node = "" } = workload.spec;
    const others = found.get(node);
    if (others) others.push(workload);
    else found.set(node, [workload]);
  }
  return found;
}
