/** Node: a host of the cluster, its addresses and its tunnel addresses. */

import { z } from "zod";
import { asNumberSchema } from "./as-number.ts";

export const nodeSpecSchema = z.strictObject({
  bgp: z
    .strictObject({
      asNumber: asNumberSchema.optional(),
      ipv4Address: z.string().optional(),
      ipv6Address: z.string().optional(),
      ipv4IPIPTunnelAddr: z.string().optional(),
      routeReflectorClusterID: z.string().optional(),
    })
    .optional(),
  ipv4VXLANTunnelAddr: z.string().optional(),
  ipv6VXLANTunnelAddr: z.string().optional(),
  vxlanTunnelMACAddr: z.string().optional(),
  vxlanTunnelMACAddrV6: z.string().optional(),
  orchRefs: z
    .array(z.strictObject({ nodeName: z.string().optional(), orchestrator: z.string() }))
    .optional(),
  wireguard: z
    .strictObject({
      interfaceIPv4Address: z.string().optional(),
      interfaceIPv6Address: z.string().optional(),
    })
    .optional(),
  addresses: z
    .array(z.strictObject({ address: z.string(), type: z.string().optional() }))
    .optional(),
  interfaces: z
    .array(z.strictObject({ name: z.string(), addresses: z.array(z.string()).optional() }))
    .optional(),
});

export const nodeStatusSchema = z.strictObject({
  wireguardPublicKey: z.string().optional(),
  wireguardPublicKeyV6: z.string().optional(),
  podCIDRs: z.array(z.string()).optional(),
});

export type NodeSpec = z.infer<typeof nodeSpecSchema>;
export type NodeStatus = z.infer<typeof nodeStatusSchema>;
