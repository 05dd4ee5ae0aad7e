/**
 * Service (v1) and EndpointSlice (discovery.k8s.io/v1), Kubernetes' own: only what service advertisement
 * reads has a type here, the rest is kept as it was given.
 */

import { z } from "zod";

export const serviceSpecSchema = z.looseObject({
  type: z.string().optional(),
  clusterIP: z.string().optional(),
  clusterIPs: z.array(z.string()).optional(),
  externalIPs: z.array(z.string()).optional(),
  externalTrafficPolicy: z.enum(["", "Cluster", "Local"]).optional(),
});

export const serviceStatusSchema = z.looseObject({
  loadBalancer: z
    .looseObject({ ingress: z.array(z.looseObject({ ip: z.string().optional() })).optional() })
    .optional(),
});

/** An EndpointSlice has no `spec`: these stand beside its `metadata`. */
export const endpointSliceBodySchema = z.strictObject({
  addressType: z.enum(["", "IPv4", "IPv6", "FQDN"]),
  endpoints: z.array(
    z.looseObject({
      addresses: z.array(z.string()),
      conditions: z.looseObject({ ready: z.boolean().optional() }).optional(),
      nodeName: z.string().optional(),
    }),
  ),
  ports: z.array(z.unknown()).optional(),
});

export type EndpointSliceBody = z.infer<typeof endpointSliceBodySchema>;
