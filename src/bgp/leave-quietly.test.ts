/** A peer that is no longer configured, on one side only as yet. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { A, B, SECOND, World } from "./testing/simulated-world.ts";

for (const [quietly, kept] of [
  [true, ["10.1.0.0/16 stale"]],
  [false, []],
] as const) {
  it(`${quietly ? "leaves" : "does not leave"} its routes with the other side`, async () => {
    const world = new World();
    const options = { originate: ["10.1.0.0/16"], peers: { [B]: { leaveQuietly: quietly } } };
    const speaker = await world.start(A, [B], options);
    await world.start(B, [A]);
    await world.advance(10 * SECOND);
    assert.deepEqual(world.routes(B), ["10.1.0.0/16"]);
    speaker.configure(world.config(A, [], options));
    await world.advance(SECOND);
    assert.deepEqual(world.routes(B), kept);
    await world.advance(130 * SECOND);
    assert.deepEqual(world.routes(B), [], "and not for ever");
  });
}
