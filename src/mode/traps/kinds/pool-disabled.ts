/** A disabled pool gives no addresses: not to pods, not to tunnels, not to probes. */

import type { TrapKind } from "../types.ts";

export const poolDisabled: TrapKind = {
  code: "POOL_DISABLED",
  meaning:
    "The pool is disabled: pods keep their addresses and the mode applies to them, but nodes get neither tunnel nor probe addresses from it.",
  remedy:
    "Enable the pool for the time of the change, or choose a mode whose addresses the nodes have.",
  find: ({ pool, tunnel }) =>
    pool?.spec.disabled
      ? [
          {
            severity: tunnel ? "refuse" : "warn",
            message: `IPPool ${pool.metadata.name} is disabled: it gives no addresses for tunnels and probes`,
            nodes: [],
          },
        ]
      : [],
};
