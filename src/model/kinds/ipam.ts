/** The objects of address management, in their CRD spelling (projectcalico.org/v3). */

import { z } from "zod";

export const ipamBlockSpecSchema = z.strictObject({
  cidr: z.string(),
  /** `host:NODE`, `virtual:NAME`, or absent. */
  affinity: z.string().nullish(),
  affinityClaimTime: z.string().nullish(),
  /** Per ordinal: index into `attributes`, or null when free. */
  allocations: z.array(z.int().nullable()),
  /** Free ordinals, first to be used first. */
  unallocated: z.array(z.int()),
  attributes: z.array(
    z.strictObject({
      handle_id: z.string().nullish(),
      secondary: z.record(z.string(), z.string()).nullish(),
      alternateOwnerAttrs: z.record(z.string(), z.string()).nullish(),
      releasedAt: z.string().nullish(),
    }),
  ),
  /** Starts at nanoseconds since the epoch, so beyond 2^53: a bigint. */
  sequenceNumber: z.union([z.bigint(), z.int()]),
  sequenceNumberForAllocation: z.record(z.string(), z.union([z.bigint(), z.int()])).optional(),
  deleted: z.boolean().optional(),
  strictAffinity: z.boolean().optional(),
});

export const blockAffinitySpecSchema = z.strictObject({
  state: z.enum(["", "confirmed", "pending", "pendingDeletion"]),
  node: z.string(),
  type: z.enum(["", "host", "virtual"]).optional(),
  cidr: z.string(),
  deleted: z.union([z.boolean(), z.enum(["true", "false"])]).optional(),
});

export const ipamHandleSpecSchema = z.strictObject({
  handleID: z.string(),
  /** Block CIDR to number of addresses. */
  block: z.record(z.string(), z.int()),
  deleted: z.boolean().optional(),
});

export const ipamConfigurationSpecSchema = z.strictObject({
  strictAffinity: z.boolean().optional(),
  autoAllocateBlocks: z.boolean().optional(),
  maxBlocksPerHost: z.int().optional(),
  kubeVirtVMAddressPersistence: z.enum(["Enabled", "Disabled"]).optional(),
  ipCooldownSeconds: z.int().optional(),
});

export type IPAMBlockSpec = z.infer<typeof ipamBlockSpecSchema>;
export type BlockAffinitySpec = z.infer<typeof blockAffinitySpecSchema>;
export type IPAMHandleSpec = z.infer<typeof ipamHandleSpecSchema>;
export type IPAMConfigurationSpec = z.infer<typeof ipamConfigurationSpecSchema>;
