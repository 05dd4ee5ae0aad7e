/** FelixConfiguration: the fields about routing, MTU and NAT that this product obeys. */

import { z } from "zod";
import { durationSchema } from "./duration.ts";
import { otherFelixFields } from "./felix-other-fields.ts";

const programClusterRoutes = [
  "Enabled",
  "Disabled",
  "EnabledIPIPOnly",
  "EnabledNoEncapOnly",
] as const;

/** Without a type: what is not obeyed is not looked into. */
const keptFields: object = Object.fromEntries(
  otherFelixFields.map((field) => [field, z.unknown().optional()]),
);

export const felixConfigurationSpecSchema = z.strictObject({
  ...keptFields,
  nodeSelector: z.string().optional(),
  ipipEnabled: z.boolean().optional(),
  ipipMTU: z.int().optional(),
  vxlanEnabled: z.boolean().optional(),
  vxlanMTU: z.int().optional(),
  vxlanMTUV6: z.int().optional(),
  vxlanPort: z.int().optional(),
  vxlanVNI: z.int().optional(),
  mtuIfacePattern: z.string().optional(),
  natPortRange: z.union([z.int(), z.string()]).optional(),
  natOutgoingAddress: z.string().optional(),
  natOutgoingExclusions: z.enum(["IPPoolsOnly", "IPPoolsAndHostIPs"]).optional(),
  deviceRouteSourceAddress: z.string().optional(),
  deviceRouteProtocol: z.int().optional(),
  removeExternalRoutes: z.boolean().optional(),
  programClusterRoutes: z.enum(programClusterRoutes).optional(),
  ipForwarding: z.enum(["Enabled", "Disabled"]).optional(),
  externalNodesList: z.array(z.string()).optional(),
  routeRefreshInterval: durationSchema.optional(),
  routeSyncDisabled: z.boolean().optional(),
  interfacePrefix: z.string().optional(),
  ipv4NormalRoutePriority: z.int().optional(),
  logSeverityScreen: z.string().optional(),
  serviceLoopPrevention: z.enum(["Drop", "Reject", "Disabled"]).optional(),
  floatingIPs: z.enum(["Enabled", "Disabled"]).optional(),
});

export type FelixConfigurationSpec = z.infer<typeof felixConfigurationSpecSchema>;
