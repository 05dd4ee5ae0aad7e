/** RFC 2918, and RFC 7313 where the program has it: all is sent again, nothing is lost on the way. */

import assert from "node:assert/strict";
import { PEER, type Scenario } from "../../scenario.ts";

const [ours, theirs] = [["10.1.0.0/26"], ["10.2.0.0/26", "10.2.1.0/24"]];

export const scenario: Scenario = {
  title: "routes are sent again when asked for, and none is lost",
  variants: { "the program asks": { needs: ["refreshes"] }, "we ask": {} },
  async run(stage, _, variant) {
    await stage.start({ ourRoutes: ours, theirRoutes: theirs });
    const { lost } = await stage.untilWeHave(theirs);
    await stage.untilTheyHave(ours);
    const before = await stage.theirSession();
    if (variant === "we ask") {
      stage.ours.refresh(PEER);
      await stage.untilTheySay("they sent theirs again", ({ updatesSent }) => {
        return updatesSent > before.updatesSent;
      });
    } else {
      await stage.theirs.refresh();
      await stage.untilTheySay("they got ours again", ({ updatesReceived }) => {
        return updatesReceived > before.updatesReceived;
      });
    }
    await stage.untilTheyHave(ours);
    const report = await stage.untilWeHave(theirs);
    assert.equal(report.lost, lost);
    assert.equal(report.peers[0]?.state, "Established");
  },
};
