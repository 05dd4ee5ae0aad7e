/** `programClusterRoutes` of both configurations: whose word makes a node route to other nodes' blocks. */

import type { ClusterRoutes, RouteSource } from "../plan/index.ts";
import { type ClusterView, effectiveSpec } from "./cluster-view.ts";

/** What Felix, from the datastore, and BIRD, from BGP, each program with that value. */
const programmed = {
  Disabled: { ipip: false, noEncap: false },
  EnabledIPIPOnly: { ipip: true, noEncap: false },
  EnabledNoEncapOnly: { ipip: false, noEncap: true },
  Enabled: { ipip: true, noEncap: true },
} as const;

/**
 * Where neither is set everything but VXLAN comes by BGP, as with Calico before v3.33; where one is, the other
 * one's default is Calico's. BGPConfiguration says it for all nodes.
 */
export function clusterRoutes(
  view: Pick<ClusterView, "felixConfigurations" | "bgpConfigurations">,
  node: string,
): ClusterRoutes | undefined {
  const felix = effectiveSpec(view.felixConfigurations, node).programClusterRoutes;
  const bgp = effectiveSpec(view.bgpConfigurations, "").programClusterRoutes;
  if (felix === undefined && bgp === undefined) return undefined;
  const store = programmed[felix ?? "EnabledIPIPOnly"];
  const told = programmed[bgp ?? "EnabledNoEncapOnly"];
  return {
    ipip: source(store.ipip, told.ipip),
    noEncap: source(store.noEncap, told.noEncap),
  };
}

function source(store: boolean, told: boolean): RouteSource {
  if (store) return told ? "either" : "datastore";
  return told ? "bgp" : "nobody";
}
