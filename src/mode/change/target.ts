/**
 * What a change is of: a pool, or the BGP mesh; what that says now, and the one write by which it says the
 * new thing.
 */

import {
  type BGPConfiguration,
  type IPPool,
  type ModeChange,
  modeFields,
  modeName,
  type NodeMode,
  poolMode,
  prepareForWrite,
} from "../../model/index.ts";
import type { World } from "./types.ts";

export interface Target {
  /** For people: `pool NAME`, `the mesh`. */
  readonly name: string;
  /** False: there is no such pool. */
  readonly exists: boolean;
  /** What it says: a mode, `on` or `off`. */
  readonly says: string;
  readonly resourceVersion: string;
  readonly uid: string | undefined;
}

export function targetOf({ spec }: ModeChange, { pool, mesh }: World): Target {
  if (spec.pool === undefined) {
    const { resourceVersion = "", uid } = mesh?.metadata ?? {};
    const says = (mesh?.spec.nodeToNodeMeshEnabled ?? true) ? "on" : "off";
    return { name: "the node-to-node mesh", exists: true, says, resourceVersion, uid };
  }
  const name = `pool ${spec.pool}`;
  if (pool === undefined) {
    return { name, exists: false, says: "nothing", resourceVersion: "", uid: undefined };
  }
  const { resourceVersion = "", uid } = pool.metadata;
  return { name, exists: true, says: modeName(pool.spec), resourceVersion, uid };
}

/** What the target is to say. */
export function wantedOf({ spec }: ModeChange): string {
  return spec.pool === undefined ? (spec.mesh ?? "") : (spec.to ?? "");
}

/** The target as it says the new thing; undefined if there is nothing to write. */
export function committed(
  { spec }: ModeChange,
  { pool, mesh }: World,
): IPPool | BGPConfiguration | undefined {
  if (spec.pool === undefined) {
    return {
      apiVersion: "projectcalico.org/v3",
      kind: "BGPConfiguration",
      metadata: { name: "default" },
      ...mesh,
      spec: { ...mesh?.spec, nodeToNodeMeshEnabled: spec.mesh === "on" },
    };
  }
  if (pool === undefined || spec.to === undefined) return undefined;
  return { ...pool, spec: { ...pool.spec, ...modeFields(spec.to) } };
}

/** Why the datastore would refuse the commit, in its words; undefined: it would not. */
export function commitRefusal(change: ModeChange, world: World): string | undefined {
  const resource = committed(change, world);
  if (resource?.kind !== "IPPool") return undefined;
  try {
    prepareForWrite({ resource, operation: "update", existing: world.pool });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Why a node is not where the target is; undefined: it is. */
export function notThere(
  change: ModeChange,
  world: World,
  nodeMode: NodeMode | undefined,
): string | undefined {
  const { spec } = change;
  const { pool } = world;
  if (nodeMode?.status === undefined) return "has published nothing: is its agent running?";
  if (spec.pool === undefined) return notThereInMesh(change, world, nodeMode.status);
  if (pool === undefined) return undefined;
  const progress = nodeMode.status.pools[spec.pool];
  if (progress?.resourceVersion !== pool.metadata.resourceVersion) {
    return "has not acted on the pool as it is now: is its agent running?";
  }
  if (progress?.mode !== poolMode(pool.spec)) return `still plans with ${progress?.mode}`;
  if (progress.realised) return undefined;
  return [...progress.waiting, ...nodeMode.status.failures].join("; ") || "is on its way";
}

/** Whether sessions are Established is not asked here: those of a mesh that is to end need not be. */
function notThereInMesh(
  change: ModeChange,
  world: World,
  { mesh, agentVersion }: NonNullable<NodeMode["status"]>,
): string | undefined {
  const { says, resourceVersion } = targetOf(change, world);
  if (mesh === undefined) {
    return `says nothing of the mesh: is its agent (${agentVersion}) running, and new enough?`;
  }
  if (mesh.resourceVersion !== resourceVersion) {
    return "has not acted on the BGPConfiguration as it is now: is its agent running?";
  }
  if (mesh.mode !== says) return `still plans with the mesh ${mesh.mode}`;
  if (says === "on") return mesh.open ? undefined : "takes no sessions of the mesh yet";
  // As long as there are orders, they may keep it open.
  return mesh.open && !change.status?.orders ? "still has sessions of the mesh" : undefined;
}
