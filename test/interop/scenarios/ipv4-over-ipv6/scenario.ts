/** IPv4 routes with IPv6 next hops (RFC 8950): a fabric that has no IPv4. */

import assert from "node:assert/strict";
import { OURS, THEIRS } from "../../lab.ts";
import type { Scenario } from "../../scenario.ts";

export const scenario: Scenario = {
  title: "IPv4 routes go over IPv6 alone",
  async run(stage) {
    const ends = {
      over: 6,
      families: ["ipv4-unicast", "ipv6-unicast"],
      ours: { extendedNextHop: true },
      theirs: { extendedNextHop: true },
      ourRoutes: ["10.1.0.0/26", "fd00:1::/122"],
      theirRoutes: ["10.2.0.0/26", "fd00:2::/122"],
    } as const;
    await stage.start(ends);
    const { routes } = await stage.untilWeHave(ends.theirRoutes);
    for (const { nextHop } of routes) assert.equal(nextHop, THEIRS[6]);
    for (const { nextHop } of await stage.untilTheyHave(ends.ourRoutes)) {
      assert.equal(nextHop, OURS[6]);
    }
    stage.configure({ ...ends, ourRoutes: ["fd00:1::/122"] });
    await stage.untilTheyHave(["fd00:1::/122"]);
    await stage.theirs.setRoutes([{ prefix: "fd00:2::/122" }]);
    await stage.untilWeHave(["fd00:2::/122"]);
  },
};
