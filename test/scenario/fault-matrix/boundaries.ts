/**
 * The step boundaries of a mode change at which something can go wrong: each is the moment at which a driver has
 * written something that agents act upon, as anybody who watches the ModeChange sees it.
 */

import type { ModeChange, ModeChangeStatus } from "../../../src/model/index.ts";

export interface Boundary {
  readonly name: string;
  readonly reached: (status: ModeChangeStatus) => boolean;
  /** Only a change that goes back comes here. */
  readonly back?: true;
}

const movedNodes = ({ orders }: ModeChangeStatus) =>
  orders?.moved === "all" ? Number.POSITIVE_INFINITY : (orders?.moved.length ?? 0);

export const boundaries: readonly Boundary[] = [
  { name: "first packets are ordered", reached: ({ orders }) => orders?.prove === "first" },
  { name: "the whole proof is ordered", reached: ({ orders }) => orders?.prove === "full" },
  { name: "everybody is to widen", reached: ({ phase }) => phase === "Widening" },
  { name: "the canary is to move", reached: ({ phase }) => phase === "Canary" },
  {
    name: "a wave is to move",
    reached: (status) => status.phase === "Rolling" && movedNodes(status) > 1,
  },
  { name: "all have moved", reached: ({ phase }) => phase === "Verifying" },
  { name: "it waits to be confirmed", reached: ({ phase }) => phase === "AwaitingConfirm" },
  { name: "it is to be committed", reached: ({ phase }) => phase === "Narrowing" },
  { name: "it is to go back", reached: ({ phase }) => phase === "RollingBack", back: true },
];

export function reachedBoundary({ status }: ModeChange, boundary: Boundary): boolean {
  return status !== undefined && boundary.reached(status);
}
