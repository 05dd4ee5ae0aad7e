/** This agent as one of those who may drive a mode change: with what it watches anyway, and judges of evidence. */

import { randomBytes } from "node:crypto";
import type { Datastore } from "../datastore/index.ts";
import type { Clock } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import { Driver, findTraps, judgeProof } from "../mode/index.ts";
import type { Cluster } from "./cluster.ts";

export function modeDriver(options: {
  readonly store: Datastore;
  readonly cluster: Pick<Cluster, "collections" | "view">;
  readonly clock: Clock;
  readonly log: Log;
  readonly node: string;
}): Driver {
  const { store, cluster, clock, log, node } = options;
  return new Driver({
    ...{ store, clock, log, node },
    identity: `${node}/${process.pid}-${randomBytes(4).toString("hex")}`,
    collections: cluster.collections,
    judges: {
      findTraps: ({ change, hosts }) =>
        findTraps({
          spec: change.spec,
          change: change.metadata.name,
          view: cluster.view(),
          nodeHosts: hosts,
        }),
      judgeProof: ({ change, nodes, nodeModes, evidence, hosts }) =>
        judgeProof({
          change,
          nodes,
          nodeModes: [...nodeModes.values()],
          evidence: [...evidence.values()],
          hosts,
        }),
    },
    newKey: () => randomBytes(32).toString("hex"),
  });
}
