/** What a pass plans from: what is stored, what BGP has learned, and the kernel as it was read. */

import type { KernelState } from "../dataplane/index.ts";
import { type ClusterFacts, clusterFacts, type MaskResult, resolveMasks } from "../facts/index.ts";
import { type IpAddress, parseIpv4, parseIpv6, SwitchyardError } from "../lib/index.ts";
import { orderedPools } from "../mode/index.ts";
import type { Encapsulation } from "../model/index.ts";
import { type LearnedFacts, type Snapshot, withPeerWays } from "../plan/index.ts";
import type { Announcer } from "./announcer.ts";
import type { Cluster } from "./cluster.ts";
import type { Basis } from "./outcome.ts";
import { withParts } from "./pool-parts.ts";
import { probing } from "./probing.ts";

export interface PassInputOptions {
  readonly node: string;
  readonly cluster: Pick<Cluster, "view">;
  readonly announcer: Pick<Announcer, "said">;
  readonly vxlanMac: (node: string) => string;
  readonly learned: () => readonly LearnedFacts[];
  /** BGP has told everything it knows since the agent started. */
  readonly bgpConverged: () => boolean;
  /** Where this node is to be probed, as IPAM gave it, or why it gave nothing. */
  readonly probe: () => { readonly address: IpAddress | undefined; readonly problem?: string };
}

export type StoredFacts = ClusterFacts & Basis;

export class PassInput {
  readonly #options: PassInputOptions;

  constructor(options: PassInputOptions) {
    this.#options = options;
  }

  /** What is stored now. */
  facts(): StoredFacts {
    const { cluster, node, vxlanMac } = this.#options;
    const view = cluster.view();
    // A change moves this node before the pool says so.
    const pools = orderedPools(view.pools, view.modeChanges, node);
    const facts = clusterFacts({ ...view, pools }, node, vxlanMac);
    return { ...facts, pools: withParts(facts.pools, view.modeChanges), view, ordered: pools };
  }

  /** What is stored, with the mask that the uplink really has. */
  withMasks(stored: StoredFacts, kernel: KernelState): StoredFacts & Pick<MaskResult, "warnings"> {
    const { node } = this.#options;
    const { nodes, warnings } = resolveMasks({ node, ...stored, host: kernel.host });
    return { ...stored, nodes, warnings };
  }

  /** Why there is nothing to plan for. What the kernel holds stays as it is. */
  homeless({ problems }: ClusterFacts): SwitchyardError {
    const { cluster, node } = this.#options;
    const known = cluster.view().nodes.some(({ metadata }) => metadata.name === node);
    const why = known
      ? `Node ${node} has no address to work with: ${problems.find((text) => text.includes(`Node ${node}:`)) ?? "spec.bgp.ipv4Address is not set"}`
      : `Node ${node} is not in the datastore`;
    return new SwitchyardError("AGENT_NOT_READY", `${why}; the kernel stays as it is`);
  }

  snapshot(
    { view, ordered: _, ...facts }: StoredFacts,
    kernel: KernelState,
    receive: readonly Encapsulation[],
  ): Snapshot {
    const { announcer, node, learned, bgpConverged, probe } = this.#options;
    const own = view.nodes.find((candidate) => candidate.metadata.name === node)?.spec;
    const ipip = parseIpv4(own?.bgp?.ipv4IPIPTunnelAddr ?? "");
    const vxlan = parseIpv4(own?.ipv4VXLANTunnelAddr ?? "");
    const vxlan6 = parseIpv6(own?.ipv6VXLANTunnelAddr ?? "");
    return {
      node,
      ...facts,
      learned: learned(),
      host: withPeerWays(kernel.host, facts.settings),
      ...(ipip !== undefined && { ipipTunnelAddress: ipip }),
      ...(vxlan6 !== undefined && { vxlan6TunnelAddress: vxlan6 }),
      ...(vxlan !== undefined && { vxlanTunnelAddress: vxlan }),
      receive,
      announced: announcer.said?.sends ?? [],
      current: kernel.current,
      keepUnplannedRoutes: !bgpConverged(),
      ...probing(view, probe().address),
    };
  }
}
