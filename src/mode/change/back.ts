/**
 * The way back. All receive both ways while a change has orders, so all senders may go back at once, each by the
 * gate: every further wave would only prolong what made it go back.
 */

import { waitsMs } from "./bounds.ts";
import { behind, laggardsText, namedText, notBack, unaware } from "./standing.ts";
import { targetOf, wantedOf } from "./target.ts";
import type { Advance, Running } from "./types.ts";
import { isOver, step, waitUpTo } from "./write.ts";

/** Whether the orders make anybody send the new way. */
function hasMoved({ status }: Running): boolean {
  const { moved = [], blocks = [] } = status.orders ?? {};
  return moved === "all" || moved.length + blocks.length > 0;
}

/** Ends it where nothing has moved; otherwise it begins to go back. */
export function goBack(
  running: Running,
  { reason, end }: { readonly reason: string; readonly end: "Refused" | "RolledBack" },
): Advance {
  if (!hasMoved(running)) {
    return step(running, {
      phase: end,
      reason: `${whereText(running)}, nothing has moved: ${reason}`,
      message: reason,
    });
  }
  return step(running, {
    phase: "RollingBack",
    orders: { widen: true, prove: "no", guard: false, moved: [], blocks: [] },
    reason,
    message: `goes back: ${reason}`,
  });
}

/** The pool is no more, or another one: nothing can be held against it. */
export function poolLost(running: Running): string | undefined {
  const { change, world, status } = running;
  const target = targetOf(change, world);
  const { poolUid } = status;
  if (!target.exists) {
    return poolUid === undefined ? `there is no ${target.name}` : `${target.name} was deleted`;
  }
  if (poolUid === undefined || target.uid === undefined || target.uid === poolUid) return undefined;
  return `${target.name} was deleted, and made anew`;
}

export function rollingBack(running: Running): Advance {
  return running.status.orders ? goingBack(running) : withdrawing(running);
}

function goingBack(running: Running): Advance {
  const lost = poolLost(running);
  const late = lost === undefined ? behind(running, notBack(running)) : [];
  if (late.length > 0 && !isOver(running, waitsMs.back)) return waitUpTo(running, waitsMs.back);
  const message =
    lost ??
    (late.length === 0
      ? `every node sends as ${placeText(running)} says; nothing is ordered any more`
      : laggardsText(running, { late, what: "gone back", boundMs: waitsMs.back }));
  return step(running, { orders: "none", message });
}

function withdrawing(running: Running): Advance {
  const late = behind(running, unaware(running));
  if (late.length > 0 && !isOver(running, waitsMs.withdrawn)) {
    return waitUpTo(running, waitsMs.withdrawn);
  }
  const { world, status } = running;
  const where = whereText(running);
  if (late.length === 0) {
    const message = `${where}: every node is as ${placeText(running)} says`;
    return step(running, {
      phase: "RolledBack",
      reason: `${where}: ${status.reason ?? ""}`,
      message,
    });
  }
  return step(running, {
    phase: "RolledBack",
    reason: `${where}, but for ${late.length} of ${world.nodes.length} nodes: ${status.reason ?? ""}`,
    attention: late.map(
      ({ node, why }) =>
        `${node} has not been seen to go back (${why}); it follows the pool as soon as its agent reads the datastore`,
    ),
    message: `ends without ${late.length} of ${world.nodes.length} nodes: ${namedText(late)}`,
  });
}

/** Which of old and new it is. Another hand may have written the new mode as well, or a third. */
function whereText({ change, world, status }: Running): string {
  const { says, exists } = targetOf(change, world);
  if (!exists) return "no pool";
  if (says === wantedOf(change)) return "fully new";
  return says === status.from ? "fully old" : `as another hand wrote (${says})`;
}

/** `pool NAME (ipip)`. */
function placeText({ change, world }: Running): string {
  const { name, says } = targetOf(change, world);
  return `${name} (${says})`;
}
