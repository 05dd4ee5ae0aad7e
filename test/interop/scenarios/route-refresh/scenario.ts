/** RFC 2918, and RFC 7313 where the program has it: all is sent again, nothing is lost on the way. */

import assert from "node:assert/strict";
import { until } from "../../place.ts";
import { PEER, type Scenario } from "../../scenario.ts";

export const scenario: Scenario = {
  title: "routes are sent again when asked for, both ways",
  needs: ["refreshes"],
  async run(stage) {
    const [ours, theirs] = [["10.1.0.0/26"], ["10.2.0.0/26", "10.2.1.0/24"]];
    await stage.start({ ourRoutes: ours, theirRoutes: theirs });
    const { lost } = await stage.untilWeHave(theirs);
    await stage.untilTheyHave(ours);

    const before = await stage.theirSession();
    await stage.theirs.refresh();
    await stage.untilTheySay("they got ours again", ({ updatesReceived }) => {
      return updatesReceived > before.updatesReceived;
    });
    await stage.untilTheyHave(ours);

    stage.ours.refresh(PEER);
    await until("they sent theirs again", async () => {
      return (await stage.theirSession()).updatesSent > before.updatesSent;
    });
    const report = await stage.untilWeHave(theirs);
    assert.equal(report.lost, lost);
    assert.equal(report.peers[0]?.state, "Established");
  },
};
