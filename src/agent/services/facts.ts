/** What advertising reads of a Service and of an EndpointSlice. Pure. */

import { type Family, familyOf, type IpAddress, parseAddress } from "../../lib/index.ts";
import type { EndpointSlice, ResourceOf, Service } from "../../model/index.ts";

export interface ServiceFacts {
  readonly clusterIPs: readonly IpAddress[];
  readonly externalIPs: readonly IpAddress[];
  /** As the load balancer's controller has assigned them; empty unless the type is LoadBalancer. */
  readonly loadBalancerIPs: readonly IpAddress[];
  /** externalTrafficPolicy Local: only nodes with an endpoint take traffic from outside. */
  readonly local: boolean;
}

/** Of one EndpointSlice: where its ready endpoints are. */
export interface SliceFacts {
  /** `namespace/name` of its Service. */
  readonly service: string;
  readonly family: Family;
  readonly anywhere: boolean;
  readonly here: boolean;
}

const types = new Set(["ClusterIP", "NodePort", "LoadBalancer"]);

/** Undefined for a service that has no address of the cluster: headless, or a name for something outside. */
export function serviceFacts({ spec, status }: Service): ServiceFacts | undefined {
  const { type = "ClusterIP", clusterIP = "", clusterIPs = [clusterIP] } = spec;
  const own = addresses(clusterIPs);
  if (!types.has(type) || own.length === 0) return undefined;
  const ingress = type === "LoadBalancer" ? (status?.loadBalancer?.ingress ?? []) : [];
  return {
    clusterIPs: own,
    externalIPs: addresses(spec.externalIPs ?? []),
    loadBalancerIPs: addresses(ingress.map(({ ip }) => ip ?? "")),
    local: spec.externalTrafficPolicy === "Local",
  };
}

/** Undefined for a slice of no service, and of names instead of addresses. */
export function sliceFacts(
  resource: ResourceOf<"EndpointSlice">,
  nodeName: string,
): SliceFacts | undefined {
  const { metadata, addressType, endpoints } = resource as EndpointSlice;
  const service = metadata.labels?.["kubernetes.io/service-name"];
  const family = families[addressType];
  if (!service || family === undefined) return undefined;
  // Kubernetes: a condition that is not told counts as true.
  const ready = endpoints.filter(({ conditions }) => conditions?.ready ?? true);
  return {
    service: `${metadata.namespace ?? ""}/${service}`,
    family,
    anywhere: ready.length > 0,
    here: ready.some((endpoint) => endpoint.nodeName === nodeName),
  };
}

const families: Partial<Record<string, Family>> = { IPv4: 4, IPv6: 6 };

/** "" and "None", of services without one, are no addresses. */
function addresses(texts: readonly string[]): IpAddress[] {
  return texts.flatMap((text) => parseAddress(text) ?? []);
}

/** Whether any of these slices has a ready endpoint of a family that the service has. */
export function readiness(
  { clusterIPs }: ServiceFacts,
  slices: Iterable<SliceFacts>,
): Pick<SliceFacts, "anywhere" | "here"> {
  const own = new Set(clusterIPs.map(familyOf));
  let anywhere = false;
  let here = false;
  for (const slice of slices) {
    if (!own.has(slice.family)) continue;
    anywhere ||= slice.anywhere;
    here ||= slice.here;
  }
  return { anywhere, here };
}
