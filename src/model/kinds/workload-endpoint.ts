/** WorkloadEndpoint: one pod interface on one node (namespaced). */

import { z } from "zod";

const portSchema = z.strictObject({
  name: z.string().optional(),
  protocol: z.union([z.string(), z.int()]),
  port: z.int(),
  hostPort: z.int().optional(),
  hostIP: z.string().optional(),
});

export const workloadEndpointSpecSchema = z.strictObject({
  orchestrator: z.string().optional(),
  workload: z.string().optional(),
  node: z.string().optional(),
  containerID: z.string().optional(),
  pod: z.string().optional(),
  endpoint: z.string().optional(),
  serviceAccountName: z.string().optional(),
  ipNetworks: z.array(z.string()).optional(),
  ipNATs: z.array(z.strictObject({ internalIP: z.string(), externalIP: z.string() })).optional(),
  ipv4Gateway: z.string().optional(),
  ipv6Gateway: z.string().optional(),
  profiles: z.array(z.string()).optional(),
  interfaceName: z.string().optional(),
  mac: z.string().optional(),
  ports: z.array(portSchema).optional(),
  allowSpoofedSourcePrefixes: z.array(z.string()).optional(),
  qosControls: z.record(z.string(), z.unknown()).optional(),
});

export type WorkloadEndpointSpec = z.infer<typeof workloadEndpointSpecSchema>;
