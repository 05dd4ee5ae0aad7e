/**
 * Which service addresses a node tells its BGP peers: whole CIDRs, and single addresses of those services
 * for which that is not enough. Calico's rules. Pure.
 */

import type { ServiceSettings } from "../../facts/index.ts";
import {
  formatPrefix,
  hostPrefix,
  type IpAddress,
  isHostPrefix,
  type Prefix,
  prefixContains,
} from "../../lib/index.ts";
import { readiness, type ServiceFacts, type SliceFacts } from "./facts.ts";

/** CIDRs that every node tells, unless it is labelled as one that takes no such traffic. */
export function toldCidrs(settings: ServiceSettings): readonly Prefix[] {
  const { clusterIPs, externalIPs, loadBalancerIPs, aggregation, excluded } = settings;
  if (excluded) return [];
  const wide = (prefix: Prefix) => !isHostPrefix(prefix);
  const all = [
    ...clusterIPs,
    ...externalIPs.filter(wide),
    ...(aggregation ? loadBalancerIPs.filter(wide) : []),
  ];
  return [...new Map(all.map((prefix) => [formatPrefix(prefix), prefix])).values()];
}

/** The single addresses of one service that this node tells; a set may name an address twice. */
export function toldAddresses(
  service: ServiceFacts,
  slices: Iterable<SliceFacts>,
  settings: ServiceSettings,
): readonly Prefix[] {
  if (!isTold(service, slices, settings)) return [];
  const { clusterIPs, externalIPs, loadBalancerIPs } = service;
  return [
    ...(settings.clusterIPs.length > 0 ? clusterIPs : []),
    ...within(settings.externalIPs, externalIPs),
    ...within(settings.loadBalancerIPs, loadBalancerIPs),
  ].map((address) => hostPrefix(address));
}

function isTold(
  service: ServiceFacts,
  slices: Iterable<SliceFacts>,
  settings: ServiceSettings,
): boolean {
  if (settings.excluded) return false;
  const ready = readiness(service, slices);
  // Another node would drop it, or hide where it comes from: the CIDR that all tell is not enough.
  if (service.local) return ready.here;
  // No CIDR stands for an address that is configured by itself.
  const { externalIPs, loadBalancerIPs } = settings;
  const single =
    within(externalIPs.filter(isHostPrefix), service.externalIPs).length > 0 ||
    within(loadBalancerIPs.filter(isHostPrefix), service.loadBalancerIPs).length > 0;
  return single || (!settings.aggregation && ready.anywhere);
}

function within(cidrs: readonly Prefix[], addresses: readonly IpAddress[]): readonly IpAddress[] {
  return addresses.filter((address) => cidrs.some((cidr) => prefixContains(cidr, address)));
}
