/**
 * What a change of the node-to-node mesh means for the sessions of two nodes. Both find the same from the same
 * orders, so that neither dials one that has closed. Pure.
 */

import type { BGPConfiguration, ModeChange } from "../model/index.ts";
import { isMoved, orderedChanges } from "./orders.ts";

export interface MeshInput {
  readonly node: string;
  readonly bgpConfigurations: readonly BGPConfiguration[];
  readonly modeChanges: readonly ModeChange[];
}

export interface MeshOrders {
  /** What the node plans its BGP with. */
  readonly mode: "on" | "off";
  /** Of the BGPConfiguration `default`; empty where there is none. */
  readonly resourceVersion: string;
  /** It has sessions with those nodes that `sharedWith` names. */
  readonly open: boolean;
  /** Sessions are added to those that carry the routes: they are dialled once the other end takes them. */
  readonly added: boolean;
  readonly sharedWith: (other: string) => boolean;
}

export function meshOrders({ node, bgpConfigurations, modeChanges }: MeshInput): MeshOrders {
  const stored = bgpConfigurations.find(({ metadata }) => metadata.name === "default");
  const isOn = stored?.spec.nodeToNodeMeshEnabled ?? true;
  const resourceVersion = stored?.metadata.resourceVersion ?? "";
  const change = orderedChanges(modeChanges).find(({ spec }) => spec.mesh !== undefined);
  const to = change?.spec.mesh;
  const mode = change && to && isMoved(change, node) ? to : isOn ? "on" : "off";
  const word = { mode, resourceVersion } as const;
  if (to === "off" && isOn) {
    const moved = movedOf(change);
    return {
      ...word,
      open: !moved(node),
      added: false,
      sharedWith: (other) => !moved(node) && !moved(other),
    };
  }
  const open = isOn || (to === "on" && change?.status?.orders?.widen === true);
  return { ...word, open, added: open && !isOn, sharedWith: () => open };
}

/** Asked for each of thousands of nodes. */
function movedOf(change: ModeChange | undefined): (node: string) => boolean {
  const moved = change?.status?.orders?.moved ?? [];
  if (moved === "all") return () => true;
  const names = new Set(moved);
  return (node) => names.has(node);
}

/** A change of the mesh runs: nodes say where they are with it. */
export function meshChanges(modeChanges: readonly ModeChange[]): boolean {
  return modeChanges.some(
    ({ spec, status }) => spec.mesh !== undefined && !ended.has(status?.phase ?? ""),
  );
}

const ended = new Set(["Done", "Refused", "RolledBack"]);
