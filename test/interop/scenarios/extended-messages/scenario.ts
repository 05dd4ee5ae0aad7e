/** Messages beyond 4096 bytes (RFC 8654): one route with eight thousand bytes of communities, each way. */

import assert from "node:assert/strict";
import { OUR_AS, type Scenario, THEIR_AS } from "../../scenario.ts";

const communities = (as: number) =>
  Array.from({ length: 2000 }, (_, index) => `${as}:${10_000 + index}`);

export const scenario: Scenario = {
  title: "one route's attributes may be longer than an ordinary message",
  needs: ["extendedMessages"],
  variants: { "we send": {}, "the program sends": {} },
  async run(stage, _, variant) {
    const sent = variant === "we send" ? [] : communities(THEIR_AS);
    await stage.start({
      theirs: { extendedMessages: true },
      ourRoutes: [{ prefix: "10.1.0.0/26", communities: communities(OUR_AS) }],
      theirRoutes: [{ prefix: "10.2.0.0/26", communities: sent }],
    });
    const { routes } = await stage.untilWeHave(["10.2.0.0/26"]);
    assert.equal(routes[0]!.communities.join(" "), sent.join(" "));
    const [learned] = await stage.untilTheyHave(["10.1.0.0/26"]);
    assert.equal(learned!.communities.join(" "), communities(OUR_AS).join(" "));
  },
};
