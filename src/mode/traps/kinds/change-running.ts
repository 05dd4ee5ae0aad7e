/** Two changes at a time would each take the other's moves for a foreign hand. */

import type { ModeChange } from "../../../model/index.ts";
import type { TrapKind } from "../types.ts";

const ended: readonly string[] = ["Done", "Refused", "RolledBack"];

export const changeRunning: TrapKind = {
  code: "CHANGE_RUNNING",
  meaning:
    "Another change has not ended. Two changes of one pool cannot be told apart on the nodes.",
  remedy: "Wait for it, confirm it or roll it back: `switchyard mode history`.",
  find: ({ view, spec, change }) =>
    view.modeChanges
      .filter((other) => isRunning(other, change))
      .map((other) => {
        const same = other.spec.pool === spec.pool && other.spec.mesh === spec.mesh;
        const what = other.spec.pool === undefined ? "the mesh" : `IPPool ${other.spec.pool}`;
        const message = `ModeChange ${other.metadata.name} of ${what} is in phase ${other.status?.phase ?? "Planning"}`;
        return { severity: same ? ("refuse" as const) : ("warn" as const), message, nodes: [] };
      }),
};

/** A change that nobody has taken up yet waits its turn, and is no obstacle to those before it. */
function isRunning({ metadata, status }: ModeChange, self: string | undefined): boolean {
  return metadata.name !== self && status !== undefined && !ended.includes(status.phase);
}
