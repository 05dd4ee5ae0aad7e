/** One look at a change, for commands that do not wait. */

import type { Datastore } from "../../datastore/index.ts";
import type { ModeChange } from "../../model/index.ts";
import type { ChangeFacts } from "../output/change/facts.ts";

export interface FactsRequest {
  readonly store: Datastore;
  readonly change: ModeChange;
  readonly nowMs: number;
}

export async function readFacts({ store, change, nowMs }: FactsRequest): Promise<ChangeFacts> {
  const [nodes, nodeModes, evidence] = await Promise.all([
    store.list("Node"),
    store.list("NodeMode"),
    store.list("ModeEvidence"),
  ]);
  return {
    change,
    nodes: nodes.items,
    nodeModes: new Map(
      nodeModes.items.flatMap(({ metadata, status }) =>
        status ? [[metadata.name, status] as const] : [],
      ),
    ),
    evidence: new Map(
      evidence.items.flatMap(({ spec, status }) =>
        spec.change === change.metadata.name && status ? [[spec.node, status] as const] : [],
      ),
    ),
    nowMs,
  };
}
