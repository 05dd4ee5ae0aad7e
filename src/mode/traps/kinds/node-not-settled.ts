/** What a node says of itself. */

import { poolMode } from "../../../model/index.ts";
import type { TrapKind } from "../types.ts";
import { listed, nodesListed } from "../words.ts";

export const nodeNotSettled: TrapKind = {
  code: "NODE_NOT_SETTLED",
  meaning:
    "A node has not realised the pool as it is stored: an earlier change has not ended there, or its kernel was altered and cannot be put right. A change waits for it a minute, and is refused then.",
  remedy:
    "See `switchyard mode status`, and on the node `switchyard node diff`; change when every node has realised the pool.",
  find: ({ nodes, pool, change }) => {
    if (!pool) return [];
    const wanted = poolMode(pool.spec);
    const behind = nodes.flatMap(({ name, mode }) => {
      // While a change has orders, progress is measured by them.
      if (!mode || (change !== undefined && mode.changes?.[change])) return [];
      const progress = mode.pools[pool.metadata.name];
      if (progress?.realised && progress.mode === wanted) return [];
      return [{ name, why: progress?.waiting[0] ?? "it has not acted on the pool yet" }];
    });
    const [first] = behind;
    if (!first) return [];
    const names = behind.map(({ name }) => name);
    const message = `${nodesListed(names)} ${names.length === 1 ? "has" : "have"} not realised IPPool ${pool.metadata.name} as it is (${first.name}: ${first.why})`;
    return [{ severity: "warn", message, nodes: names }];
  },
};

export const nodeFailing: TrapKind = {
  code: "NODE_FAILING",
  meaning:
    "A node says that something fails there: objects that its kernel refuses, or resources that are not right.",
  remedy: "See `switchyard node status` on the node.",
  find: ({ nodes }) => {
    const failing = nodes.filter(({ mode }) => (mode?.failures.length ?? 0) > 0);
    const [first] = failing;
    if (!first) return [];
    const names = failing.map(({ name }) => name);
    const message = `${nodesListed(names)} ${names.length === 1 ? "reports" : "report"} failures (${first.name}: ${listed(first.mode?.failures ?? [], 2)})`;
    return [{ severity: "warn", message, nodes: names }];
  },
};
