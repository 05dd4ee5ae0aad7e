/** A path that goes silent: each side ends the session by its hold timer, and both come back. */

import assert from "node:assert/strict";
import type { Scenario } from "../../scenario.ts";

export const scenario: Scenario = {
  title: "silence ends the session at both ends after the hold time, and it comes back",
  async run(stage) {
    const [ours, theirs] = [["10.1.0.0/26"], ["10.2.0.0/26"]];
    await stage.start({
      ourRoutes: ours,
      theirRoutes: theirs,
      ours: { holdTimeSeconds: 3 },
      theirs: { restartSeconds: undefined },
    });
    const { peers } = await stage.untilWeHave(theirs);
    assert.equal(peers[0]?.holdTimeSeconds, 3);
    await stage.untilTheyHave(ours);
    await stage.lab.setLink(false);
    await stage.untilOurs("our hold timer", ({ peers: [peer], routes }) => {
      return peer?.state !== "Established" && routes.length === 0;
    });
    assert.match(stage.ours.errors.join("\n"), /^sent Hold Timer Expired/m);
    await stage.untilTheySay("their session is gone", ({ established }) => !established);
    await stage.lab.setLink(true);
    await stage.untilWeHave(theirs);
    await stage.untilTheyHave(ours);
  },
};
