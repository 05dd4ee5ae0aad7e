/** What the BGPConfiguration says of Kubernetes' service addresses, for one node. */

import { maskPrefix, type Prefix, parsePrefixOrAddress, prefixCovers } from "../lib/index.ts";
import { type ClusterView, effectiveSpec } from "./cluster-view.ts";

export interface ServiceSettings {
  readonly clusterIPs: readonly Prefix[];
  readonly externalIPs: readonly Prefix[];
  readonly loadBalancerIPs: readonly Prefix[];
  /** Load balancer addresses are told by the CIDR, not one by one. */
  readonly aggregation: boolean;
  /** The node is labelled so as not to attract traffic for services. */
  readonly excluded: boolean;
  /** What EndpointSlices call this node. */
  readonly nodeName: string;
}

/** Kubernetes' own label, for load balancers of all kinds. */
const EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers";

/** Undefined if no service address is to be told. */
export function serviceSettings(
  { bgpConfigurations, nodes }: Pick<ClusterView, "bgpConfigurations" | "nodes">,
  name: string,
): ServiceSettings | undefined {
  // Only `default` may have these fields.
  const spec = effectiveSpec(bgpConfigurations, "");
  const node = nodes.find(({ metadata }) => metadata.name === name);
  const lists = {
    clusterIPs: prefixes(spec.serviceClusterIPs),
    externalIPs: prefixes(spec.serviceExternalIPs),
    loadBalancerIPs: prefixes(spec.serviceLoadBalancerIPs),
  };
  if (Object.values(lists).every(({ length }) => length === 0)) return undefined;
  const reference = node?.spec.orchRefs?.find(({ orchestrator }) => orchestrator === "k8s");
  return {
    ...lists,
    aggregation: spec.serviceLoadBalancerAggregation !== "Disabled",
    excluded: node?.metadata.labels?.[EXCLUDE_LABEL] === "true",
    nodeName: reference?.nodeName || name,
  };
}

/** Every address that may be one of a service, as CIDRs that do not cover each other. */
export function serviceCidrs(settings: ServiceSettings | undefined): readonly Prefix[] {
  if (settings === undefined) return [];
  const { clusterIPs, externalIPs, loadBalancerIPs } = settings;
  const all = [...clusterIPs, ...externalIPs, ...loadBalancerIPs];
  return all.filter(
    (prefix, at) =>
      !all.some(
        (other, otherAt) =>
          prefixCovers(other, prefix) && (other.length < prefix.length || otherAt < at),
      ),
  );
}

/** Checked when it was stored: a bad entry is an object that nobody checked. */
function prefixes(list: readonly { readonly cidr?: string | undefined }[] = []): Prefix[] {
  return list.flatMap(({ cidr }) => {
    const prefix = parsePrefixOrAddress(cidr ?? "");
    return prefix ? [maskPrefix(prefix)] : [];
  });
}
