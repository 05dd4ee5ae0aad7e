/** Which of two connections survives; and that both ends always agree on it. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Ipv4 } from "../../lib/index.ts";
import type { SessionState } from "../types.ts";
import { type CollisionOptions, type Direction, resolveCollision } from "./collision.ts";

const low = { routerId: 1 as Ipv4, as: 65000 };
const high = { routerId: 2 as Ipv4, as: 65000 };

function collide(
  local: CollisionOptions["local"],
  candidate: Direction,
  other: Partial<CollisionOptions["other"]>,
): string {
  return resolveCollision({
    local,
    remote: local === low ? high : low,
    candidate,
    other: {
      state: "OpenConfirm",
      direction: candidate === "incoming" ? "outgoing" : "incoming",
      gracefulRestart: true,
      concurrent: true,
      ...other,
    },
  });
}

describe("collision", () => {
  const later = { state: "Established", concurrent: false } as const;
  const rows: [name: string, actual: string, expected: string][] = [
    ["other in OpenSent", collide(low, "incoming", { state: "OpenSent" }), "keep-both"],
    ["higher identifier keeps its dial", collide(high, "incoming", {}), "close-candidate"],
    ["lower identifier gives up its dial", collide(low, "incoming", {}), "close-other"],
    ["higher, its own dial is the newer", collide(high, "outgoing", {}), "close-other"],
    ["lower, its own dial is the newer", collide(low, "outgoing", {}), "close-candidate"],
    [
      "Established at the same time",
      collide(low, "incoming", { state: "Established" }),
      "close-other",
    ],
    ["peer restarted", collide(high, "incoming", later), "replace-other"],
    [
      "peer restarted, twice incoming",
      collide(high, "incoming", { ...later, direction: "incoming" }),
      "replace-other",
    ],
    [
      "no graceful restart",
      collide(low, "incoming", { ...later, gracefulRestart: false }),
      "close-candidate",
    ],
    ["late dial of ours", collide(high, "outgoing", later), "close-candidate"],
    ["peer dialled twice", collide(high, "incoming", { direction: "incoming" }), "close-other"],
  ];
  for (const [name, actual, expected] of rows) {
    it(name, () => assert.equal(actual, expected));
  }

  it("ends alike at both ends, whichever OPEN comes first and with equal identifiers too", () => {
    const id = fc.integer({ min: 1, max: 3 }).map((value) => value as Ipv4);
    const end = fc.record({ routerId: id, as: fc.constantFrom(1, 2) });
    const state = fc.constantFrom<SessionState[]>("OpenConfirm", "Established");
    const direction = fc.constantFrom<Direction[]>("incoming", "outgoing");
    fc.assert(
      fc.property(
        fc.tuple(end, end).filter(([a, b]) => a.routerId !== b.routerId || a.as !== b.as),
        fc.tuple(state, state),
        fc.tuple(direction, direction),
        (ends, otherStates, candidates) => {
          // Named by the end that dialled it.
          const survivors = [0, 1].map((end) => {
            const candidate = candidates[end]!;
            const direction = candidate === "incoming" ? "outgoing" : "incoming";
            const outcome = resolveCollision({
              local: ends[end]!,
              remote: ends[1 - end]!,
              candidate,
              other: {
                state: otherStates[end]!,
                direction,
                gracefulRestart: true,
                concurrent: true,
              },
            });
            const kept = outcome === "close-other" ? candidate : direction;
            return kept === "outgoing" ? end : 1 - end;
          });
          assert.equal(survivors[0], survivors[1]);
        },
      ),
    );
  });
});
