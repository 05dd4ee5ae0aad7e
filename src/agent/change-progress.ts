/** How far this node has come with the orders of each mode change: what its NodeMode says of them. Pure. */

import {
  formatPrefix,
  hostPrefix,
  type IpAddress,
  type Prefix,
  parsePrefix,
  prefixContains,
  prefixCovers,
} from "../lib/index.ts";
import { changedPool, isMoved, orderedChanges, probedChange } from "../mode/index.ts";
import type { Encapsulation, IPPool, ModeChange, NodeModeStatus } from "../model/index.ts";
import { type NodePlan, PROBE_DEVICE, PROOF_TABLE, poolTunnel } from "../plan/index.ts";
import type { MeshStanding } from "./bgp-runner.ts";
import { meshMissing, meshMoved } from "./mesh-progress.ts";
import type { poolProgress } from "./progress.ts";

type ChangeProgress = NonNullable<NodeModeStatus["changes"]>[string];

export interface ChangeProgressInput {
  readonly node: string;
  /** Pools as they are stored, and changes, that the plan was made from. */
  readonly pools: readonly IPPool[];
  readonly changes: readonly ModeChange[];
  readonly plan: Pick<NodePlan, "proof" | "destinations">;
  /** What the kernel sends, by text of the block. */
  readonly current: ReadonlyMap<string, Encapsulation>;
  /** This node's probe address, if its kernel has it and its agent answers there. */
  readonly probe: IpAddress | undefined;
  /** Objects that are not in the kernel as planned. */
  readonly failed: readonly string[];
  /** What this node will say that it accepts. */
  readonly accepts: readonly Encapsulation[];
  /** Of the pools as this node plans with them. */
  readonly progress: Readonly<Record<string, ReturnType<typeof poolProgress>>>;
  /** Where the kernel is not as planned, once all have moved. */
  readonly unlike: readonly string[];
  /** Of BGP, while a change of the mesh may have orders. */
  readonly mesh: MeshStanding | undefined;
  /** Why there is no probe address, if IPAM or the kernel has said so. */
  readonly probeProblem: string | undefined;
}

/** Undefined when no change has orders. */
export function changeProgress(
  input: ChangeProgressInput,
): Readonly<Record<string, ChangeProgress>> | undefined {
  const ordered = orderedChanges(input.changes);
  if (ordered.length === 0) return undefined;
  return Object.fromEntries(
    ordered.map((change) => {
      const waiting = change.status?.orders?.widen ? missing(change, input) : [];
      const widened = change.status?.orders?.widen === true && waiting.length === 0;
      const verifying = change.status?.orders?.moved === "all";
      if (verifying) waiting.push(...input.unlike);
      const moved = hasMoved(change, input) && !(verifying && input.unlike.length > 0);
      const blocks = movedBlocks(change, input);
      return [
        change.metadata.name,
        {
          ...{ widened, moved },
          ...(blocks !== undefined && { blocks }),
          ...(waiting.length > 0 && { waiting }),
        },
      ];
    }),
  );
}

function hasMoved(change: ModeChange, { node, mesh: standing, progress }: ChangeProgressInput) {
  if (change.spec.mesh !== undefined) return meshMoved(change, { node, standing });
  return isMoved(change, node) && progress[change.spec.pool ?? ""]?.realised === true;
}

/** So many of the ordered blocks go as planned, a block of this node's own among them. */
function movedBlocks(
  { status }: ModeChange,
  { plan: { destinations }, current }: ChangeProgressInput,
): number | undefined {
  const behind = (prefix: Prefix) =>
    destinations.some(
      (one) =>
        prefixCovers(prefix, one.prefix) && current.get(formatPrefix(one.prefix)) !== one.wanted,
    );
  return status?.orders?.blocks?.filter((text) => {
    const prefix = parsePrefix(text);
    return prefix !== undefined && !behind(prefix);
  }).length;
}

/** What the node is not ready for yet, in words. */
function missing(change: ModeChange, input: ChangeProgressInput): string[] {
  const { pools, changes, plan } = input;
  const found =
    change.spec.mesh === undefined ? missingOfPool(change, input) : meshMissing(change, input.mesh);
  const probed = probedChange(pools, changes);
  if (probed && probed.change !== change) {
    return [...found, `nodes are probed for ModeChange ${probed.change.metadata.name} now`];
  }
  const cidr = probed && parsePrefix(probed.pool.spec.cidr);
  if (!cidr) return found;
  const { probe } = input;
  if (probe === undefined || !prefixContains(cidr, probe)) {
    found.push(input.probeProblem ?? "this node has no probe address yet");
  } else if (change.status?.orders?.prove !== "no") {
    const refused = input.failed.filter(isOfProof);
    if (!plan.proof) found.push("the table of the proof is not there yet");
    else if (refused.length > 0) found.push(`not in the kernel: ${refused.join(", ")}`);
  }
  return found;
}

function missingOfPool(change: ModeChange, { pools, accepts }: ChangeProgressInput): string[] {
  const pool = changedPool(pools, change);
  const cidr = pool && parsePrefix(pool.spec.cidr);
  if (!pool || !cidr) return [`there is no IPPool ${change.spec.pool}`];
  const { ipipMode = "Never", vxlanMode = "Never" } = pool.spec;
  const tunnel = poolTunnel({ cidr, ipipMode, vxlanMode });
  return tunnel && !accepts.includes(tunnel) ? [`${tunnel} is not received yet`] : [];
}

/** This node's probe address, if its kernel has it. */
export function heldProbe({
  plan,
  failed,
}: {
  readonly plan: Pick<NodePlan, "addresses">;
  readonly failed: readonly string[];
}): IpAddress | undefined {
  const planned = plan.addresses.find(({ device }) => device === PROBE_DEVICE)?.prefix.address;
  if (planned === undefined) return undefined;
  const object = `address ${formatPrefix(hostPrefix(planned))} dev ${PROBE_DEVICE}`;
  return failed.includes(object) ? undefined : planned;
}

/** As the dataplane names its objects. */
function isOfProof(object: string): boolean {
  return object.startsWith("rule ") || object.endsWith(`table ${PROOF_TABLE}`);
}
