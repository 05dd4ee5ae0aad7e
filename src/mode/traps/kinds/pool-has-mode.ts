/** Nothing would change. */

import { modeFields, poolMode } from "../../../model/index.ts";
import type { TrapKind } from "../types.ts";

export const poolHasMode: TrapKind = {
  code: "POOL_HAS_MODE",
  meaning: "The pool has the mode already that is asked for.",
  remedy:
    "Nothing is to be done; `switchyard mode status` shows whether every node has realised it.",
  find: ({ spec, pool, from, to }) =>
    pool && to && !spec.blocks && poolMode(modeFields(to)) === from
      ? [
          {
            severity: "warn",
            message: `IPPool ${pool.metadata.name} is ${from} already: no route would change`,
            nodes: [],
          },
        ]
      : [],
};
