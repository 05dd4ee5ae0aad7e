/** How far this node has come with a change of the node-to-node mesh: what its NodeMode says of it. Pure. */

import type { PeerStatus } from "../bgp/index.ts";
import { formatAddress, formatPrefix } from "../lib/index.ts";
import { isMoved, meshChanges } from "../mode/index.ts";
import type { ModeChange, NodeModeStatus } from "../model/index.ts";
import type { MeshStanding } from "./bgp-runner.ts";

/** Named in a line, or lines of their own; the rest is counted. */
const MOST_NAMED = 8;

/** What it says of the mesh itself; nothing while no change of it runs. */
export function meshWord(
  standing: MeshStanding | undefined,
  changes: readonly ModeChange[],
): Pick<NodeModeStatus, "mesh"> {
  if (standing === undefined || !meshChanges(changes)) return {};
  const { mode, resourceVersion, open } = standing.plan;
  return { mesh: { mode, resourceVersion, open, waiting: notYetOn(standing) } };
}

/** Why it is not ready for the new way, beside the old one. */
export function meshMissing(change: ModeChange, standing: MeshStanding | undefined): string[] {
  if (standing === undefined) return ["this node speaks no BGP yet"];
  return change.spec.mesh === "on" ? notYetOn(standing) : notYetOff(standing);
}

/**
 * On: it may rely on the mesh as soon as it has one, and nothing is taken away. Off: its sessions of the mesh are
 * gone, and it needs none of them.
 */
export function meshMoved(
  change: ModeChange,
  { node, standing }: { readonly node: string; readonly standing: MeshStanding | undefined },
): boolean {
  if (standing === undefined || !isMoved(change, node)) return false;
  if (change.spec.mesh === "on") return notYetOn(standing).length === 0;
  return !standing.plan.open && standing.mesh.length + standing.untold.length === 0;
}

function notYetOn({ plan, mesh }: MeshStanding): string[] {
  if (!plan.open) return [];
  const lines = [
    ...plan.closed.map((node) => `${node} takes no sessions of the mesh yet`),
    ...down(mesh).map((text) => `the session of the mesh with ${text}`),
  ];
  const more = lines.length - MOST_NAMED;
  return more > 0 ? [...lines.slice(0, MOST_NAMED), `and ${more} sessions more`] : lines;
}

function notYetOff({ outside, untold }: MeshStanding): string[] {
  if (outside.length === 0) {
    return ["this node has no session outside of the mesh: no BGPPeer is meant for it"];
  }
  const lines = down(outside).map((text) => `the session with ${text}`);
  return untold.length === 0 ? lines : [...lines, untoldText(untold)];
}

function down(peers: readonly PeerStatus[]): string[] {
  return peers.flatMap(({ address, state, lastError }) =>
    state === "Established"
      ? []
      : [`${formatAddress(address)} is ${state}${lastError ? ` (${lastError})` : ""}`],
  );
}

export function untoldText(untold: MeshStanding["untold"]): string {
  const named = untold.slice(0, MOST_NAMED).map(formatPrefix);
  const more = untold.length - named.length;
  const list = [...named, ...(more > 0 ? [`and ${more} more`] : [])].join(", ");
  return `no session outside of the mesh tells of ${list}`;
}
