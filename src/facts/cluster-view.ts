/** What the datastore says, as plain lists: the input of every pure conversion of the agent. */

import type {
  BGPConfiguration,
  BGPFilter,
  BGPPeer,
  BlockAffinity,
  FelixConfiguration,
  IPPool,
  ModeChange,
  Node,
  NodeMode,
  WorkloadEndpoint,
} from "../model/index.ts";
import type { BlockFacts } from "../plan/index.ts";

export interface ClusterView {
  readonly nodes: readonly Node[];
  readonly pools: readonly IPPool[];
  readonly affinities: readonly BlockAffinity[];
  readonly workloads: readonly WorkloadEndpoint[];
  readonly bgpConfigurations: readonly BGPConfiguration[];
  readonly bgpPeers: readonly BGPPeer[];
  readonly bgpFilters: readonly BGPFilter[];
  readonly felixConfigurations: readonly FelixConfiguration[];
  readonly nodeModes: readonly NodeMode[];
  readonly modeChanges: readonly ModeChange[];
  /** Single addresses that a node uses out of another's block. */
  readonly borrowed: readonly BlockFacts[];
}

/** The object named `default`, overlaid by the node's own (`node.NAME`), field by field. */
export function effectiveSpec<S extends object>(
  objects: readonly { readonly metadata: { readonly name: string }; readonly spec: S }[],
  node: string,
): Partial<S> {
  const named = (name: string) => objects.find((object) => object.metadata.name === name)?.spec;
  return { ...named("default"), ...named(`node.${node}`) };
}
