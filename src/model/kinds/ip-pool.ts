/** IPPool: a CIDR that pods get addresses from, and how their packets travel between nodes. */

import { z } from "zod";

export const encapModes = ["Never", "Always", "CrossSubnet"] as const;
export type EncapMode = (typeof encapModes)[number];

export const ipPoolSpecSchema = z.strictObject({
  cidr: z.string(),
  vxlanMode: z.enum(encapModes).optional(),
  ipipMode: z.enum(encapModes).optional(),
  natOutgoing: z.boolean().optional(),
  disabled: z.boolean().optional(),
  disableBGPExport: z.boolean().optional(),
  blockSize: z.int().optional(),
  nodeSelector: z.string().optional(),
  namespaceSelector: z.string().optional(),
  allowedUses: z.array(z.enum(["Workload", "Tunnel", "LoadBalancer"])).optional(),
  assignmentMode: z.enum(["Automatic", "Manual"]).optional(),
});

export type IPPoolSpec = z.infer<typeof ipPoolSpecSchema>;
