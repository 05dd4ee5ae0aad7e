/** A peer that speaks RFC 4271 and nothing else: no capability at all (RFC 5492, RFC 4760 section 8). */

import assert from "node:assert/strict";
import { OUR_AS, type Scenario, THEIR_AS } from "../../scenario.ts";

export const scenario: Scenario = {
  title: "IPv4 goes with a peer that offers no capability",
  needs: ["plain"],
  async run(stage) {
    const plain = { plain: true, restartSeconds: undefined };
    await stage.start({ theirs: plain, ourRoutes: ["10.1.0.0/26"], theirRoutes: ["10.2.0.0/26"] });
    const { routes } = await stage.untilWeHave(["10.2.0.0/26"]);
    assert.deepEqual(routes[0]?.asPath, [THEIR_AS]);
    const [learned] = await stage.untilTheyHave(["10.1.0.0/26"]);
    assert.deepEqual(learned?.asPath, [OUR_AS]);
    await stage.theirs.setRoutes([]);
    await stage.untilWeHave([]);
  },
};
