/** BGPConfiguration and BGPPeer. */

import { z } from "zod";
import { asNumberSchema } from "./as-number.ts";
import { durationSchema } from "./duration.ts";

const secretKeyRef = z.strictObject({
  secretKeyRef: z
    .strictObject({
      name: z.string().optional(),
      key: z.string(),
      optional: z.boolean().optional(),
    })
    .optional(),
});
const cidrList = z.array(z.strictObject({ cidr: z.string().optional() }));

export const bgpConfigurationSpecSchema = z.strictObject({
  logSeverityScreen: z.string().optional(),
  nodeToNodeMeshEnabled: z.boolean().optional(),
  asNumber: asNumberSchema.optional(),
  serviceLoadBalancerIPs: cidrList.optional(),
  serviceExternalIPs: cidrList.optional(),
  serviceClusterIPs: cidrList.optional(),
  serviceLoadBalancerAggregation: z.enum(["Enabled", "Disabled"]).optional(),
  communities: z
    .array(z.strictObject({ name: z.string().optional(), value: z.string().optional() }))
    .optional(),
  prefixAdvertisements: z
    .array(
      z.strictObject({ cidr: z.string().optional(), communities: z.array(z.string()).optional() }),
    )
    .optional(),
  listenPort: z.int().optional(),
  nodeMeshPassword: secretKeyRef.optional(),
  nodeMeshMaxRestartTime: durationSchema.optional(),
  bindMode: z.enum(["None", "NodeIP"]).optional(),
  ignoredInterfaces: z.array(z.string()).optional(),
  localWorkloadPeeringIPV4: z.string().optional(),
  localWorkloadPeeringIPV6: z.string().optional(),
  programClusterRoutes: z
    .enum(["Enabled", "Disabled", "EnabledIPIPOnly", "EnabledNoEncapOnly"])
    .optional(),
  ipv4NormalRoutePriority: z.int().optional(),
  ipv6NormalRoutePriority: z.int().optional(),
});

export const bgpPeerSpecSchema = z.strictObject({
  node: z.string().optional(),
  nodeSelector: z.string().optional(),
  peerIP: z.string().optional(),
  asNumber: asNumberSchema.optional(),
  localASNumber: asNumberSchema.optional(),
  peerSelector: z.string().optional(),
  keepOriginalNextHop: z.boolean().optional(),
  nextHopMode: z.enum(["Auto", "Self", "Keep"]).optional(),
  password: secretKeyRef.optional(),
  sourceAddress: z.enum(["UseNodeIP", "None"]).optional(),
  maxRestartTime: durationSchema.optional(),
  keepaliveTime: durationSchema.optional(),
  numAllowedLocalASNumbers: z.int().optional(),
  ttlSecurity: z.int().optional(),
  reachableBy: z.string().optional(),
  filters: z.array(z.string()).optional(),
  localWorkloadSelector: z.string().optional(),
  reversePeering: z.enum(["Auto", "Manual"]).optional(),
});

export type BGPConfigurationSpec = z.infer<typeof bgpConfigurationSpecSchema>;
export type BGPPeerSpec = z.infer<typeof bgpPeerSpecSchema>;
