/**
 * IPv4 and IPv6 in one session (RFC 4760). Over IPv4 the IPv6 routes need a next hop of their own; ours is
 * told by hand, as our speaker invents none.
 */

import assert from "node:assert/strict";
import { OURS, THEIRS } from "../../lab.ts";
import type { Scenario } from "../../scenario.ts";

export const scenario: Scenario = {
  title: "one session carries both families, and withdraws of each",
  async run(stage) {
    const [ours4, ours6] = ["10.1.0.0/26", { prefix: "fd00:1::/122", nextHop: OURS[6] }] as const;
    const [theirs4, theirs6] = ["10.2.0.0/26", { prefix: "fd00:2::/122", nextHop: THEIRS[6] }];
    const ends = {
      families: ["ipv4-unicast", "ipv6-unicast"],
      ourRoutes: [ours4, ours6],
      theirRoutes: [theirs4!, theirs6!],
    } as const;
    await stage.start(ends);
    const { routes } = await stage.untilWeHave(["10.2.0.0/26", "fd00:2::/122"]);
    assert.deepEqual(
      routes.map(({ nextHop }) => nextHop),
      [THEIRS[4], THEIRS[6]],
    );
    const learned = await stage.untilTheyHave(["10.1.0.0/26", "fd00:1::/122"]);
    assert.deepEqual(
      new Map(learned.map(({ prefix, nextHop }) => [prefix, nextHop])),
      new Map([
        ["10.1.0.0/26", OURS[4]],
        ["fd00:1::/122", OURS[6]],
      ]),
    );
    stage.configure({ ...ends, ourRoutes: [ours6] });
    await stage.untilTheyHave(["fd00:1::/122"]);
    await stage.theirs.setRoutes([{ prefix: "10.2.0.0/26" }]);
    await stage.untilWeHave(["10.2.0.0/26"]);
  },
};
