/** What the others are told after a pass: what the kernel really accepts, sends and has come to. Pure. */

import type { Actual } from "../dataplane/index.ts";
import type { ClusterView } from "../facts/index.ts";
import { formatAddress } from "../lib/index.ts";
import { widenedPools } from "../mode/index.ts";
import type { Encapsulation, IPPool } from "../model/index.ts";
import type { NodePlan, SaidMtu } from "../plan/index.ts";
import { type Announcement, sortedEncapsulations } from "./announcer.ts";
import { awaitsAddress } from "./awaited-address.ts";
import type { MeshStanding } from "./bgp-runner.ts";
import { changeProgress, heldProbe } from "./change-progress.ts";
import { meshWord } from "./mesh-progress.ts";
import { countDestinations, poolProgress } from "./progress.ts";

/**
 * What the datastore said when the plan was made, and the pools as this node plans with them. What has come
 * since is not in the kernel yet, and must not be told as if it were.
 */
export interface Basis {
  readonly view: ClusterView;
  readonly ordered: readonly IPPool[];
}

export interface OutcomeInput {
  readonly node: string;
  readonly version: string;
  readonly plan: NodePlan;
  readonly actual: Actual;
  /** What the gate lets this node accept. */
  readonly offer: readonly Encapsulation[];
  readonly warnings: readonly string[];
  readonly mtu: SaidMtu | undefined;
  readonly basis: Basis;
  readonly mesh: MeshStanding | undefined;
  /** Tunnels that stay because sockets use them, in words. */
  readonly kept: readonly string[];
  /** Where the kernel is not as planned, when that is to be verified. */
  readonly unlike: readonly string[];
  /** Why there is no probe address, if IPAM has said so. */
  readonly probeProblem: string | undefined;
  /** Why this agent does not answer at the probe address that its kernel has. */
  readonly unanswered: string | undefined;
}

export function outcomeOf(input: OutcomeInput): Announcement {
  const { plan, actual, offer, mtu, probeProblem } = input;
  const { view, ordered } = input.basis;
  const node = view.nodes.find(({ metadata }) => metadata.name === input.node);
  const pools = [...view.pools, ...widenedPools(view.pools, view.modeChanges)];
  const ready = (tunnel: Encapsulation) =>
    actual.receives.includes(tunnel) &&
    (tunnel === "none" || !awaitsAddress(tunnel, { plan, node, pools }));
  const accepts = sortedEncapsulations(["none", ...offer.filter(ready)]);
  const progress = Object.fromEntries(
    ordered.map((pool) => [
      pool.metadata.name,
      poolProgress(pool, plan.destinations, actual.current),
    ]),
  );
  const failed = actual.failures.map(({ object }) => object);
  const { unanswered } = input;
  const probeAddress = unanswered === undefined ? heldProbe({ plan, failed }) : undefined;
  const changes = changeProgress({
    ...{ node: input.node, pools: view.pools, changes: view.modeChanges },
    ...{
      plan,
      failed,
      accepts,
      progress,
      unlike: input.unlike,
      mesh: input.mesh,
      probe: probeAddress,
      current: actual.current,
    },
    probeProblem: unanswered ?? probeProblem,
  });
  return {
    accepts,
    sends: sortedEncapsulations(actual.current.values()),
    destinations: countDestinations(plan.destinations, actual.current),
    pools: progress,
    ...(changes && { changes }),
    ...meshWord(input.mesh, view.modeChanges),
    ...(probeAddress !== undefined && { probeAddress: formatAddress(probeAddress) }),
    ...(mtu && { mtu }),
    ...(input.kept.length > 0 && { kept: [...input.kept] }),
    ...(actual.ipipBackend && { ipipBackend: actual.ipipBackend }),
    failures: [
      ...actual.failures.map((failure) => `${failure.object}: ${failure.message}`),
      ...input.warnings,
    ],
    agentVersion: input.version,
  };
}
