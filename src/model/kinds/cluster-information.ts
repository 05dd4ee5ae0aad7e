/** ClusterInformation: the singleton that identifies the cluster and says whether it is ready. */

import { z } from "zod";

export const clusterInformationSpecSchema = z.strictObject({
  clusterGUID: z.string().optional(),
  clusterType: z.string().optional(),
  calicoVersion: z.string().optional(),
  datastoreReady: z.boolean().optional(),
  variant: z.string().optional(),
});

export type ClusterInformationSpec = z.infer<typeof clusterInformationSpecSchema>;
