/** Services and EndpointSlices as tests need them. */

import type { EndpointSlice, ResourceOf, Service, SpecOf } from "../../model/index.ts";

export interface ServiceOptions extends Omit<SpecOf<"Service">, "clusterIPs"> {
  readonly name?: string;
  readonly clusterIPs?: readonly string[] | undefined;
  /** What the load balancer's controller has assigned. */
  readonly ingress?: readonly string[];
}

/** `web` with the address 10.96.0.9, unless told. */
export function service({ name = "web", ingress, ...options }: ServiceOptions): Service {
  const spec = { clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9"], ...options };
  const balancer = { ingress: (ingress ?? []).map((ip) => ({ ip })) };
  return {
    ...{ apiVersion: "v1", kind: "Service", metadata: { name, namespace: "shop" } },
    spec: spec as SpecOf<"Service">,
    ...(ingress && { status: { loadBalancer: balancer } }),
  };
}

export interface SliceOptions {
  readonly name?: string;
  /** Name of the Service. */
  readonly of?: string;
  readonly addressType?: EndpointSlice["addressType"];
  /** One endpoint on each. */
  readonly nodes: readonly string[];
  /** Not told at all unless given, which counts as ready. */
  readonly ready?: boolean;
}

/** Of `web`, of IPv4, unless told. */
export function slice(options: SliceOptions): EndpointSlice & ResourceOf<"EndpointSlice"> {
  const { name = "web-1", of = "web", addressType = "IPv4", nodes, ready } = options;
  const labels = { "kubernetes.io/service-name": of };
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, namespace: "shop", labels },
    spec: undefined,
    addressType,
    endpoints: nodes.map((nodeName, at) => ({
      addresses: [`10.244.0.${at}`],
      nodeName,
      ...(ready !== undefined && { conditions: { ready } }),
    })),
  };
}
