/** Without graceful restart a lost session takes its routes along, on both sides. */

import assert from "node:assert/strict";
import type { Scenario } from "../../scenario.ts";

const ours = ["10.1.0.0/26"];
const theirs = ["10.2.0.0/26", "10.2.1.0/24"];

export const scenario: Scenario = {
  title: "nothing is kept where the program does not offer graceful restart",
  async run(stage) {
    const ends = { ourRoutes: ours, theirRoutes: theirs, theirs: { restartSeconds: undefined } };
    await stage.start(ends);
    await stage.untilWeHave(theirs);
    await stage.untilTheyHave(ours);
    await stage.ours.kill();
    await stage.untilTheyHave([]);

    stage.startOurs(ends);
    const before = await stage.untilWeHave(theirs);
    await stage.theirs.stop("SIGKILL");
    const gone = await stage.untilOurs("routes dropped", ({ routes, lost }) => {
      return routes.length === 0 && lost - before.lost === 2;
    });
    assert.equal(gone.peers[0]?.gracefulRestart, false);
  },
};
