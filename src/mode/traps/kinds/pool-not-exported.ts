/** Routes of the new mode come by BGP, which is told nothing of this pool. */

import type { TrapKind } from "../types.ts";

export const poolNotExported: TrapKind = {
  code: "POOL_NOT_EXPORTED",
  meaning:
    "The pool has disableBGPExport, and the new mode takes its routes from BGP (every mode but `vxlan`, unless `programClusterRoutes` says otherwise): no node would learn another's blocks.",
  remedy: "Set disableBGPExport of the pool to false, or choose `vxlan`.",
  find: ({ pool, to, needsBgp }) =>
    pool?.spec.disableBGPExport && to && needsBgp
      ? [
          {
            severity: "refuse",
            message: `IPPool ${pool.metadata.name} has disableBGPExport: BGP tells nobody of its blocks, and ${to} needs that; no node would ever move`,
            nodes: [],
          },
        ]
      : [],
};
