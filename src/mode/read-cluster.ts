/** Everything of the datastore that traps and previews are found from. */

import type { Datastore } from "../datastore/index.ts";
import { borrowedOf, type ClusterView } from "../facts/index.ts";
import type { IPAMBlock, NodeHost } from "../model/index.ts";

export interface StoredCluster {
  readonly view: ClusterView;
  readonly nodeHosts: readonly NodeHost[];
  readonly blocks: readonly IPAMBlock[];
}

/** Reads only. Lists are of moments that follow each other: what changes meanwhile may be seen half. */
export async function readCluster(store: Pick<Datastore, "list">): Promise<StoredCluster> {
  const [nodes, pools, affinities, blocks, workloads] = await Promise.all([
    store.list("Node"),
    store.list("IPPool"),
    store.list("BlockAffinity"),
    store.list("IPAMBlock"),
    store.list("WorkloadEndpoint"),
  ]);
  const [bgpConfigurations, bgpPeers, bgpFilters, felixConfigurations] = await Promise.all([
    store.list("BGPConfiguration"),
    store.list("BGPPeer"),
    store.list("BGPFilter"),
    store.list("FelixConfiguration"),
  ]);
  const [nodeModes, modeChanges, nodeHosts] = await Promise.all([
    store.list("NodeMode"),
    store.list("ModeChange"),
    store.list("NodeHost"),
  ]);
  return {
    view: {
      nodes: nodes.items,
      pools: pools.items,
      affinities: affinities.items,
      workloads: workloads.items,
      borrowed: blocks.items.flatMap(borrowedOf),
      bgpConfigurations: bgpConfigurations.items,
      bgpPeers: bgpPeers.items,
      bgpFilters: bgpFilters.items,
      felixConfigurations: felixConfigurations.items,
      nodeModes: nodeModes.items,
      modeChanges: modeChanges.items,
    },
    nodeHosts: nodeHosts.items,
    blocks: blocks.items,
  };
}
