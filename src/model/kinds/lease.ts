/**
 * Lease (switchyard.io/v1): who drives something now. The fields are those of Kubernetes'
 * coordination.k8s.io/v1 Lease. Its times are for readers: whoever wants it watches whether it still
 * changes, by a clock of his own, so that no two hosts need the same time.
 */

import { z } from "zod";

export const leaseSpecSchema = z.strictObject({
  holderIdentity: z.string().optional(),
  leaseDurationSeconds: z.int().min(1).optional(),
  /** RFC 3339 with microseconds. */
  acquireTime: z.string().optional(),
  renewTime: z.string().optional(),
  leaseTransitions: z.int().min(0).optional(),
});
