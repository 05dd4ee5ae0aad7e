/** Puts together what `node status` shows of an agent. */

import { formatPrefix } from "../lib/index.ts";
import type { AgentOptions } from "./agent.ts";
import type { BgpRunner } from "./bgp-runner.ts";
import type { Cluster } from "./cluster.ts";
import type { Guard } from "./guard/guard.ts";
import type { PassResult } from "./reconciler.ts";
import type { AgentStatus } from "./status.ts";

export interface StatusInput {
  readonly options: Pick<AgentOptions, "node" | "version">;
  readonly cluster: Pick<Cluster, "nodeMode" | "connected" | "connectedSinceMs">;
  readonly bgp: Pick<BgpRunner, "peers">;
  readonly guard: Guard["totals"];
  /** Undefined before the first pass. */
  readonly last: PassResult | undefined;
  readonly passes: number;
  readonly startedAtMs: number;
  /** Empty when ready. */
  readonly notReady: string;
  readonly failures: readonly string[];
}

export function statusReport(input: StatusInput): AgentStatus {
  const { cluster, last, notReady } = input;
  const { node, version } = input.options;
  const published = cluster.nodeMode(node)?.status;
  return {
    node,
    version,
    pid: process.pid,
    startedAt: new Date(input.startedAtMs).toISOString(),
    ready: notReady === "",
    notReady,
    datastore: {
      connected: cluster.connected,
      since: new Date(cluster.connectedSinceMs).toISOString(),
    },
    ipipBackend: last?.actual.ipipBackend ?? "none",
    accepts: published?.accepts ?? [],
    sends: published?.sends ?? [],
    pools: Object.fromEntries(
      Object.entries(published?.pools ?? {}).map(([name, { mode, realised, waiting }]) => [
        name,
        { mode, realised, waiting },
      ]),
    ),
    ...(last && { mtu: last.plan.mtu }),
    peers: input.bgp.peers(),
    guard: input.guard,
    passes: input.passes,
    routes: {
      programmed: last?.plan.destinations.filter(isProgrammed(last)).length ?? 0,
      wanted: last?.plan.destinations.length ?? 0,
    },
    failures: input.failures,
  };
}

function isProgrammed({ actual }: PassResult) {
  type Destination = PassResult["plan"]["destinations"][number];
  return ({ prefix }: Destination) => actual.current.has(formatPrefix(prefix));
}
