/** Widening to AwaitingConfirm: nodes move by waves, each watched, until somebody says that it is good. */

import { goBack } from "./back.ts";
import { CONFIRM_WITHIN_SECONDS, durationText, waitsMs } from "./bounds.ts";
import { narrow } from "./narrowing.ts";
import {
  behind,
  laggardsText,
  listText,
  membersOf,
  unmoved,
  unquiet,
  unwidened,
} from "./standing.ts";
import type { Advance, Running } from "./types.ts";
import { planWaves } from "./waves.ts";
import { isOver, step, timeText, waitUpTo } from "./write.ts";

export function widening(running: Running): Advance {
  const late = behind(running, unwidened(running));
  if (late.length > 0) {
    if (!isOver(running, waitsMs.widened)) return waitUpTo(running, waitsMs.widened);
    const what = "come to receive the new way";
    const reason = laggardsText(running, { late, what, boundMs: waitsMs.widened });
    return goBack(running, { reason, end: "Refused" });
  }
  if (!running.status.orders?.guard) {
    return step(running, {
      phase: "Widening",
      orders: { guard: true },
      message:
        "every node receives the new way; before anything moves, the guards look at what is usual",
    });
  }
  const blind = behind(running, unquiet(running));
  if (blind.length === 0) return heldByPause(running) ?? onwards(running);
  if (!isOver(running, waitsMs.wave)) return waitUpTo(running, waitsMs.wave);
  const what = "looked at how things are before the move";
  const reason = laggardsText(running, { late: blind, what, boundMs: waitsMs.wave });
  return goBack(running, { reason, end: "Refused" });
}

/** Canary and Rolling. */
export function moving(running: Running): Advance {
  return stillMoving(running, waitsMs.wave) ?? heldByPause(running) ?? onwards(running);
}

/** All that was ordered is done. */
function onwards(running: Running): Advance {
  const { change, status } = running;
  return (
    nextBlock(running) ??
    nextWave(running, status.waves ?? planWaves(membersOf(running), change.spec))
  );
}

/** Blocks of their own go from every node, before the first node moves with all it has. */
function nextBlock(running: Running): Advance | undefined {
  const { change, status } = running;
  const wanted = change.spec.blocks ?? [];
  const ordered = status.orders?.blocks?.length ?? 0;
  const next = wanted[ordered];
  if (next === undefined) return undefined;
  return step(running, {
    phase: "Canary",
    orders: { guard: true, blocks: wanted.slice(0, ordered + 1) },
    message: `block ${next} moves on every node (${ordered + 1} of ${wanted.length})`,
  });
}

export function verifying(running: Running): Advance {
  const { change } = running;
  const unfinished = stillMoving(running, waitsMs.verified);
  if (unfinished) return unfinished;
  const good = "every node has moved, and none has seen anything bad";
  if (change.spec.confirmed) return narrow(running, `${good}; confirmed from the start`);
  const seconds = change.spec.confirmWithinSeconds ?? CONFIRM_WITHIN_SECONDS;
  return step(running, {
    phase: "AwaitingConfirm",
    confirmBy: timeText(running.moment.wallMs + seconds * 1000),
    message: `${good}; goes back unless confirmed within ${durationText(seconds * 1000)}`,
  });
}

/**
 * By the wall or by how long this driver has waited, whichever is first: a clock that is set back makes nobody
 * wait longer, and one set forward only goes back early.
 */
export function awaitingConfirm(running: Running): Advance {
  const { change, status, moment } = running;
  if (change.spec.confirmed) return narrow(running, "confirmed");
  const withinMs = (change.spec.confirmWithinSeconds ?? CONFIRM_WITHIN_SECONDS) * 1000;
  const byMs = Date.parse(status.confirmBy ?? "");
  const wallLeftMs = Number.isNaN(byMs) ? withinMs : byMs - moment.wallMs;
  const leftMs = Math.min(wallLeftMs, withinMs - moment.stageForMs);
  if (leftMs > 0) return { kind: "wait", wakeInMs: leftMs };
  const reason = `nobody confirmed it within ${durationText(withinMs)}`;
  return goBack(running, { reason, end: "RolledBack" });
}

/** Nodes that were told to move have not, or are not yet known to be well. */
function stillMoving(running: Running, boundMs: number): Advance | undefined {
  const late = behind(running, unmoved(running));
  const noisy = late.length > 0 ? [] : behind(running, unquiet(running));
  if (late.length + noisy.length === 0) return undefined;
  if (!isOver(running, boundMs)) return waitUpTo(running, boundMs);
  const reason =
    late.length > 0
      ? laggardsText(running, { late, what: "moved", boundMs })
      : laggardsText(running, { late: noisy, what: "been found well", boundMs });
  return goBack(running, { reason, end: "RolledBack" });
}

/** What is ordered is done; nothing further is ordered while somebody says `pause`. */
function heldByPause(running: Running): Advance | undefined {
  if (!running.change.spec.paused) return undefined;
  if (!isOver(running, waitsMs.paused)) return waitUpTo(running, waitsMs.paused);
  const reason = `it was paused for ${durationText(waitsMs.paused)}`;
  return goBack(running, { reason, end: "RolledBack" });
}

function nextWave(running: Running, waves: readonly (readonly string[])[]): Advance {
  const { moved: ordered = [] } = running.status.orders ?? {};
  const moved = new Set(ordered === "all" ? waves.flat() : ordered);
  const alive = new Set(running.world.nodes.map(({ metadata }) => metadata.name));
  const index = waves.findIndex((wave) => wave.some((node) => alive.has(node) && !moved.has(node)));
  const stored = waves.map((wave) => [...wave]);
  if (index < 0) {
    return step(running, {
      phase: "Verifying",
      waves: stored,
      orders: { guard: true, moved: "all" },
      message: "every wave has moved; all is looked at once more, with nodes that came meanwhile",
    });
  }
  const wave = stored[index] ?? [];
  const name = index === 0 ? "the canary" : `wave ${index} of ${waves.length - 1}`;
  return step(running, {
    phase: index === 0 ? "Canary" : "Rolling",
    waves: stored,
    orders: { guard: true, moved: [...moved, ...wave] },
    message: `${name} moves: ${listText(wave)}`,
  });
}
