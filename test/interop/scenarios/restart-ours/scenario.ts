/** Graceful restart (RFC 4724) with our speaker as the one that restarts and the program as the helper. */

import assert from "node:assert/strict";
import { until } from "../../place.ts";
import type { Scenario } from "../../scenario.ts";

const ours = ["10.1.0.0/26", "10.1.1.0/24"];
const theirs = ["10.2.0.0/26"];

export const scenario: Scenario = {
  title: "our routes stay with the program while we restart; what we no longer have goes",
  needs: ["keepsRoutes"],
  async run(stage) {
    const ends = { ourRoutes: ours, theirRoutes: theirs };
    await stage.start(ends);
    await stage.untilWeHave(theirs);
    await stage.untilTheyHave(ours);
    await stage.ours.kill();
    await stage.untilTheySay("the session is gone", ({ established }) => !established);
    assert.equal((await stage.theirs.routes()).length, 2);

    stage.startOurs({ ...ends, ourRoutes: ours.slice(1) });
    let fewest = 2;
    await until("the program has dropped what is gone", async () => {
      const { length } = await stage.theirs.routes();
      fewest = Math.min(fewest, length);
      return length === 1;
    });
    assert.equal(fewest, 1);
    await stage.untilTheyHave(ours.slice(1));
    await stage.untilWeHave(theirs);
  },
};
