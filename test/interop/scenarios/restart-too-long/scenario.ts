/** A program that does not come back within its restart time (RFC 4724 section 4.2). */

import assert from "node:assert/strict";
import type { Scenario } from "../../scenario.ts";

export const scenario: Scenario = {
  title: "its routes go when the program does not come back in its restart time",
  async run(stage) {
    const theirs = ["10.2.0.0/26", "10.2.1.0/24"];
    await stage.start({ theirRoutes: theirs, theirs: { restartSeconds: 2 } });
    const before = await stage.untilWeHave(theirs);
    await stage.theirs.stop("SIGKILL");
    const kept = await stage.untilOurs("routes kept", ({ peers }) => {
      return peers[0]?.gracefulRestart === true;
    });
    assert.equal(kept.routes.length, 2);
    const gone = await stage.untilOurs("routes dropped", ({ routes, lost }) => {
      return routes.length === 0 && lost - before.lost === 2;
    });
    assert.equal(gone.peers[0]?.gracefulRestart, false);
  },
};
