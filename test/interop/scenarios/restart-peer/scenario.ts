/**
 * Graceful restart (RFC 4724) with the program as the one that restarts. `converged` is what an agent waits
 * for before it takes stale routes out of its kernel.
 */

import assert from "node:assert/strict";
import type { Scenario } from "../../scenario.ts";

const ours = ["10.1.0.0/26", "10.1.1.0/24"];
const theirs = ["10.2.0.0/26", "10.2.1.0/24"];

export const scenario: Scenario = {
  title:
    "the program's routes stay while it restarts; what it no longer has goes at its End-of-RIB",
  async run(stage) {
    const ends = { ourRoutes: ours, theirRoutes: theirs };
    await stage.start(ends);
    const before = await stage.untilWeHave(theirs);
    await stage.untilTheyHave(ours);
    await stage.theirs.stop("SIGKILL");
    const away = await stage.untilOurs("waiting for the program", ({ peers: [peer] }) => {
      return peer?.state !== "Established" && peer?.gracefulRestart === true;
    });
    assert.deepEqual(
      away.routes.map(({ prefix, stale }) => [prefix, stale]),
      theirs.map((prefix) => [prefix, true]),
    );
    assert.equal(away.converged, false);

    await stage.startTheirs({ ...ends, theirRoutes: theirs.slice(0, 1) }, true);
    const back = await stage.untilWeHave(theirs.slice(0, 1));
    assert.equal(back.routes[0]?.stale, false);
    await stage.untilTheyHave(ours);
    const { lost } = await stage.untilOurs("a loss", (report) => report.lost > before.lost);
    assert.equal(lost - before.lost, 1, "only the route it no longer has was lost");
  },
};
