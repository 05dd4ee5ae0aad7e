/**
 * The state machine of a mode change (docs/design/mode-change.md): what is to be written next, given what is
 * observed. Pure, and it keeps nothing: whoever drives may die between any two steps.
 */

import type { ModeChange } from "../../model/index.ts";
import { goBack, poolLost, rollingBack } from "./back.ts";
import { awaitingConfirm, moving, verifying, widening } from "./moving.ts";
import { committedByOther, narrowing } from "./narrowing.ts";
import { begin, planning, proving } from "./planning.ts";
import { breachesIn, listText } from "./standing.ts";
import { targetOf, wantedOf } from "./target.ts";
import type { Advance, Moment, Running, World } from "./types.ts";
import { hasEnded } from "./write.ts";

export function advance(change: ModeChange, world: World, moment: Moment): Advance {
  const { status } = change;
  if (status === undefined) return begin(change, world, moment);
  if (hasEnded(status.phase)) return { kind: "wait", wakeInMs: undefined };
  const running = { change, status, world, moment };
  return interruption(running) ?? onward(running);
}

/** Changes when a driver begins to count the time of a stage anew. */
export function stageOf({ status }: ModeChange): string {
  return status === undefined ? "" : `${status.phase}/${status.orders?.step ?? "none"}`;
}

function onward(running: Running): Advance {
  switch (running.status.phase) {
    case "Planning":
      return planning(running);
    case "Proving":
      return proving(running);
    case "Widening":
      return widening(running);
    case "Canary":
    case "Rolling":
      return moving(running);
    case "Verifying":
      return verifying(running);
    case "AwaitingConfirm":
      return awaitingConfirm(running);
    case "Narrowing":
      return narrowing(running);
    case "RollingBack":
      return rollingBack(running);
    default:
      return { kind: "wait", wakeInMs: undefined };
  }
}

/** What ends or turns a change in whatever phase it is, as long as it can be turned. */
function interruption(running: Running): Advance | undefined {
  const { change, world, status } = running;
  const { phase } = status;
  if (phase === "Narrowing" || phase === "RollingBack") return undefined;
  const lost = poolLost(running);
  if (lost !== undefined) return goBack(running, { reason: lost, end: "Refused" });
  const target = targetOf(change, world);
  if (target.says !== status.from) {
    if (target.says === wantedOf(change) && !change.spec.proveOnly) {
      // Planning finds by itself that there is nothing to do.
      return phase === "Planning" ? undefined : committedByOther(running);
    }
    const reason = `another hand wrote ${target.says} to ${target.name} meanwhile, and that counts`;
    return goBack(running, { reason, end: "Refused" });
  }
  if (change.spec.rollback) {
    return goBack(running, { reason: "the operator said rollback", end: "RolledBack" });
  }
  if (world.fault !== undefined) {
    return goBack(running, { reason: `cannot be judged: ${world.fault}`, end: "Refused" });
  }
  if (!status.orders?.guard) return undefined;
  const breaches = breachesIn(world);
  if (breaches.length === 0) return undefined;
  return goBack(running, { reason: listText(breaches), end: "RolledBack" });
}
