/**
 * The commit. `Narrowing` is stored first, with the revision of the pool that will be written; whoever drives then
 * writes the pool by compare-and-swap with that revision, and nothing else. If it has another one, somebody
 * else has written it meanwhile, and his word counts.
 */

import { goBack, poolLost } from "./back.ts";
import { waitsMs } from "./bounds.ts";
import { behind, laggardsText, membersOf, strangersNote, unsettled } from "./standing.ts";
import { committed, targetOf, wantedOf } from "./target.ts";
import type { Advance, Running } from "./types.ts";
import { isOver, step, waitUpTo } from "./write.ts";

export function narrow(running: Running, message: string): Advance {
  const { change, world } = running;
  const { name, resourceVersion } = targetOf(change, world);
  return step(running, {
    phase: "Narrowing",
    poolResourceVersion: resourceVersion,
    message: `${message}; ${name} will be written, and from then on there is no way back`,
  });
}

/** Another hand has written the mode that this change was to bring: that is the commit. */
export function committedByOther(running: Running): Advance {
  const { change, world } = running;
  const { name, says, resourceVersion } = targetOf(change, world);
  return step(running, {
    phase: "Narrowing",
    committed: true,
    poolResourceVersion: resourceVersion,
    message: `another hand wrote ${says} to ${name}: that commits the change`,
  });
}

export function narrowing(running: Running): Advance {
  const { change, world, status } = running;
  const target = targetOf(change, world);
  const lost = poolLost(running);
  if (lost !== undefined) {
    return status.committed
      ? superseded(running, lost)
      : goBack(running, { reason: lost, end: "RolledBack" });
  }
  const by = `another hand wrote ${target.says} to ${target.name}`;
  if (target.says !== wantedOf(change)) {
    if (status.committed) return superseded(running, by);
    const { resourceVersion } = target;
    if (world.commitRefused !== undefined) {
      const reason = `the datastore refuses to write ${target.name}: ${world.commitRefused}`;
      return goBack(running, { reason, end: "RolledBack" });
    }
    const untouched = resourceVersion === status.poolResourceVersion && target.says === status.from;
    const resource = untouched ? committed(change, world) : undefined;
    if (resource) return { kind: "commit", resource };
    const reason = `${by} while it was to be committed`;
    return goBack(running, { reason, end: "RolledBack" });
  }
  if (!status.committed) {
    return step(running, {
      committed: true,
      poolResourceVersion: target.resourceVersion,
      message: `${target.name} says ${target.says} now; nodes give up what they need no more`,
    });
  }
  const late = behind(running, unsettled(running));
  if (late.length > 0 && !isOver(running, waitsMs.realised)) {
    return waitUpTo(running, waitsMs.realised);
  }
  const all = membersOf(running).length;
  if (late.length === 0) {
    return step(running, {
      phase: "Done",
      attention: strangersNote(running),
      reason: `fully new: ${target.name} says ${target.says}, and ${all} of ${all} nodes have realised it`,
      message: `every node has realised ${target.says}`,
    });
  }
  const message = laggardsText(running, { late, what: "realised it", boundMs: waitsMs.realised });
  return step(running, {
    phase: "Done",
    reason: `fully new, but for ${late.length} of ${all} nodes: ${target.name} says ${target.says}`,
    attention: [
      ...strangersNote(running),
      ...late.map(
        ({ node, why }) =>
          `${node} has not realised ${target.says} yet (${why}); it does as soon as it can`,
      ),
    ],
    message,
  });
}

/** It was committed; what was written afterwards is another change, and nodes follow it by themselves. */
function superseded(running: Running, by: string): Advance {
  const wanted = wantedOf(running.change);
  return step(running, {
    phase: "Done",
    reason: `${wanted} was committed; afterwards, ${by}`,
    attention: [`${by} before every node was seen at ${wanted}; nodes follow the pool`],
    message: by,
  });
}
