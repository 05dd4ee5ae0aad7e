/** The pool of the change is not there, or its CIDR is none. */

import type { TrapKind } from "../types.ts";

export const poolMissing: TrapKind = {
  code: "POOL_MISSING",
  meaning: "There is no pool of that name, or its CIDR cannot be read.",
  remedy: "Check the name: `switchyard get ippools`.",
  find: ({ spec, pool, cidr }) => {
    if (spec.pool === undefined || cidr) return [];
    const message = pool
      ? `IPPool ${spec.pool} has the CIDR ${pool.spec.cidr}, which is none: no address belongs to it`
      : `there is no IPPool ${spec.pool}`;
    return [{ severity: "refuse", message, nodes: [] }];
  },
};
