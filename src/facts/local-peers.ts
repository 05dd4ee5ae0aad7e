/** Pods of a node that are its BGP peers (`localWorkloadSelector` of a BGPPeer). Pure. */

import { type Family, familyOf, parseAddress, parsePrefixOrAddress } from "../lib/index.ts";
import { type BGPPeer, parseSelector, type WorkloadEndpoint } from "../model/index.ts";
import type { LocalPeer } from "../plan/index.ts";
import { type ClusterView, effectiveSpec } from "./cluster-view.ts";
import { isPeeringOf } from "./peer-gateways.ts";

type View = Pick<ClusterView, "bgpPeers" | "bgpConfigurations" | "nodes" | "workloads">;

export interface LocalPeering extends LocalPeer {
  /** Whose fields the session has; of several that select a pod, one for all nodes goes before one for some. */
  readonly peer: BGPPeer;
}

/** Of each pod the first address of each family. A selector that nobody can read selects nothing. */
export function localPeerings(view: View, name: string): LocalPeering[] {
  const node = view.nodes.find(({ metadata }) => metadata.name === name);
  if (!node) return [];
  const selecting = view.bgpPeers
    .filter((peer) => peer.spec.localWorkloadSelector && isPeeringOf(peer.spec, node))
    .sort((a, b) => Number(isForSome(a)) - Number(isForSome(b)))
    .map((peer) => ({ peer, matches: matcher(peer) }));
  if (selecting.length === 0) return [];
  const hostAddress = hostAddresses(view);
  return view.workloads.flatMap((workload) => {
    const { node: place, interfaceName: device, ipNetworks = [] } = workload.spec;
    if (place !== name || !device) return [];
    const peer = selecting.find(({ matches }) => matches(workload))?.peer;
    if (!peer) return [];
    const addresses = ipNetworks.flatMap((text) => parsePrefixOrAddress(text)?.address ?? []);
    return ([4, 6] as const).flatMap((family): LocalPeering[] => {
      const address = addresses.find((each) => familyOf(each) === family);
      if (address === undefined) return [];
      const host = hostAddress(family);
      return [{ peer, address, device, ...(host !== undefined && { hostAddress: host }) }];
    });
  });
}

const isForSome = ({ spec }: BGPPeer): boolean => Boolean(spec.node || spec.nodeSelector);

/** Where pods find their host, on its end of their devices; `default` says it for all nodes. */
function hostAddresses({ bgpConfigurations }: View) {
  const spec = effectiveSpec(bgpConfigurations, "");
  const told = { 4: spec.localWorkloadPeeringIPV4, 6: spec.localWorkloadPeeringIPV6 };
  return (family: Family) => {
    const address = parseAddress(told[family] ?? "");
    return address !== undefined && familyOf(address) === family ? address : undefined;
  };
}

function matcher({ spec }: BGPPeer): (workload: WorkloadEndpoint) => boolean {
  try {
    const selector = parseSelector(spec.localWorkloadSelector ?? "");
    return ({ metadata }) => selector.matches(metadata.labels ?? {});
  } catch {
    return () => false;
  }
}
