/** BGPFilter: what passes between a BGPPeer and the node, and what becomes of it. */

import { z } from "zod";
import { asNumberSchema } from "./as-number.ts";

const operation = z.strictObject({
  addCommunity: z.strictObject({ value: z.string().optional() }).optional(),
  prependASPath: z.strictObject({ prefix: z.array(asNumberSchema).optional() }).optional(),
  setPriority: z.strictObject({ value: z.int().optional() }).optional(),
});

/** Of either family: only what the address and the lengths may be differs. */
const rule = z.strictObject({
  cidr: z.string().optional(),
  matchOperator: z.enum(["Equal", "NotEqual", "In", "NotIn"]).optional(),
  prefixLength: z.strictObject({ min: z.int().optional(), max: z.int().optional() }).optional(),
  source: z.enum(["RemotePeers"]).optional(),
  interface: z.string().optional(),
  peerType: z.enum(["eBGP", "iBGP"]).optional(),
  communities: z.strictObject({ values: z.array(z.string()).optional() }).optional(),
  asPathPrefix: z.array(asNumberSchema).optional(),
  priority: z.int().optional(),
  action: z.enum(["Accept", "Reject"]).optional(),
  operations: z.array(operation).optional(),
});

export const bgpFilterSpecSchema = z.strictObject({
  exportV4: z.array(rule).optional(),
  importV4: z.array(rule).optional(),
  exportV6: z.array(rule).optional(),
  importV6: z.array(rule).optional(),
});

export type BGPFilterRule = z.infer<typeof rule>;
export type BGPFilterOperation = z.infer<typeof operation>;
