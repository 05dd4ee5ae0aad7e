/** Planning and Proving: everything that is found out before any node sends the new way. */

import { parsePrefix, prefixContains } from "../../lib/index.ts";
import type { ModeChange, Trap } from "../../model/index.ts";
import { goBack } from "./back.ts";
import { waitsMs } from "./bounds.ts";
import { behind, laggardsText, listText, strangersNote, unproved, unsettled } from "./standing.ts";
import { commitRefusal, targetOf, wantedOf } from "./target.ts";
import type { Advance, Moment, Running, World } from "./types.ts";
import { isOver, step, timeText, waitUpTo } from "./write.ts";

/** The first word about a change: what it is about. */
export function begin(change: ModeChange, world: World, moment: Moment): Advance {
  const target = targetOf(change, world);
  const at = timeText(moment.wallMs);
  const { requestedBy = "somebody" } = change.spec;
  const message = `asked for by ${requestedBy}: ${target.name} from ${target.says} to ${wantedOf(change)}`;
  return {
    kind: "status",
    status: {
      phase: "Planning",
      phaseSince: at,
      from: target.says,
      poolResourceVersion: target.resourceVersion,
      ...(target.uid !== undefined && { poolUid: target.uid }),
      history: [{ at, phase: "Planning", message }],
    },
  };
}

export function planning(running: Running): Advance {
  const { change, world } = running;
  const { spec, metadata } = change;
  const target = targetOf(change, world);
  const refuse = (reason: string, traps?: Trap[]) =>
    step(running, {
      phase: "Refused",
      reason: `fully old, nothing was asked of any node: ${reason}`,
      ...(traps && { traps }),
      message: reason,
    });
  if (target.says === wantedOf(change) && !spec.proveOnly) {
    return step(running, {
      phase: "Done",
      reason: `fully new already: ${target.name} says ${target.says}`,
      message: "there is nothing to do",
    });
  }
  const elsewhere = spec.blocks?.find((block) => !isInPool(block, world));
  if (elsewhere !== undefined) return refuse(`${elsewhere} is no block of ${target.name}`);
  const refusal = commitRefusal(change, world);
  if (refusal !== undefined) return refuse(`the datastore would not take it: ${refusal}`);
  if (world.holder === undefined) return waitUpTo(running, waitsMs.settled);
  if (world.holder !== metadata.name) {
    return refuse(`${world.holder} is changing ${target.name} already: wait for its end`);
  }
  if (world.probedFor !== metadata.name) {
    if (!isOver(running, waitsMs.turn)) return waitUpTo(running, waitsMs.turn);
    return refuse(`nodes are probed for ${world.probedFor} all the time`);
  }
  const traps = [...world.findTraps()];
  const accepted = new Set(spec.accepted);
  const closed = traps.filter(({ severity, code }) => severity === "refuse" && !accepted.has(code));
  if (closed.length > 0) {
    // What hosts say of themselves may be over already; what only resources say is known as it is.
    const mayPass = closed.every(({ nodes }) => nodes.length > 0);
    if (mayPass && !isOver(running, waitsMs.hostsSay)) return waitUpTo(running, waitsMs.hostsSay);
    return refuse(closed.map(({ code, message }) => `${code}: ${message}`).join("; "), traps);
  }
  const late = spec.proveOnly ? [] : behind(running, unsettled(running));
  if (late.length > 0) {
    if (!isOver(running, waitsMs.settled)) return waitUpTo(running, waitsMs.settled);
    const what = `come where ${target.name} is (${target.says})`;
    return refuse(laggardsText(running, { late, what, boundMs: waitsMs.settled }), traps);
  }
  return planned(running, traps);
}

function isInPool(block: string, { pool }: World): boolean {
  const inner = parsePrefix(block);
  const outer = parsePrefix(pool?.spec.cidr ?? "");
  if (inner === undefined || outer === undefined || inner.length < outer.length) return false;
  return prefixContains(outer, inner.address);
}

/** Nothing stands against it. */
function planned(running: Running, traps: Trap[]): Advance {
  const { spec } = running.change;
  const attention = strangersNote(running);
  const found =
    traps.length === 0 ? "no traps" : `traps: ${traps.map(({ code }) => code).join(", ")}`;
  if (spec.mesh !== undefined && spec.proveOnly) {
    return step(running, {
      phase: "Done",
      traps,
      reason: "fully old: of the mesh there is nothing to prove by packets",
      message: found,
    });
  }
  if (spec.mesh === undefined && (spec.proveOnly || !spec.skipProof)) {
    return step(running, {
      phase: "Proving",
      traps,
      attention,
      orders: { widen: true, prove: "first" },
      message: `${found}; nodes get ready to be probed, and send first packets one way`,
    });
  }
  const unproven = spec.skipProof && `moves without proof: ${spec.skipProof.reason}`;
  return step(running, {
    phase: "Widening",
    traps,
    attention,
    orders: { widen: true },
    message: [found, ...(unproven ? [unproven] : []), "nodes make ready to receive"].join("; "),
  });
}

export function proving(running: Running): Advance {
  const round = running.status.orders?.prove === "first" ? "first" : "full";
  const boundMs = round === "first" ? waitsMs.proveFirst : waitsMs.proveFull;
  const late = behind(running, unproved(running, round));
  if (late.length > 0) {
    if (!isOver(running, boundMs)) return waitUpTo(running, boundMs);
    const what = round === "first" ? "sent first proof packets" : "finished the proof";
    const reason = laggardsText(running, { late, what, boundMs });
    return goBack(running, { reason, end: "Refused" });
  }
  if (round === "first") {
    return step(running, {
      orders: { prove: "full" },
      message: "first packets are sent; both ways, full size, TCP, loss and round trips follow",
    });
  }
  return judged(running);
}

function judged(running: Running): Advance {
  const { change, world } = running;
  const verdicts = [...world.judgeProof()];
  const failed = verdicts.filter(({ ok }) => !ok);
  const to = wantedOf(change);
  if (failed.length > 0) {
    const words = failed.map(({ from, to, message }) => `${from} → ${to}: ${message}`);
    const message = `the fabric does not carry ${to}: ${listText(words)}`;
    return step(running, {
      phase: "Refused",
      verdicts,
      reason: `fully old, nothing has moved: ${message}`,
      message,
    });
  }
  const pairs = verdicts.reduce((sum, verdict) => sum + verdict.pairs, 0);
  const message =
    pairs === 0
      ? `there is nothing to prove: no two nodes with an agent have addresses to send ${to} between`
      : `the fabric carries ${to}: ${pairs} pairs of nodes proved it`;
  if (change.spec.proveOnly) {
    return step(running, {
      phase: "Done",
      verdicts,
      reason: `fully old, as asked: ${message}`,
      message,
    });
  }
  return step(running, { phase: "Widening", verdicts, orders: { prove: "no" }, message });
}
