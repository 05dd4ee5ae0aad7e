/** The base of all: a session of either kind over either family, its hold time, and routes both ways. */

import assert from "node:assert/strict";
import { OURS, THEIRS } from "../../lab.ts";
import { OUR_AS, type Scenario, THEIR_AS } from "../../scenario.ts";

const four = {
  ourRoutes: ["10.1.0.0/26", "10.1.7.1/32"],
  theirRoutes: ["10.2.0.0/26", "10.2.1.0/24"],
};
const six = {
  over: 6,
  ourRoutes: ["fd00:1:7::1/128", "fd00:1::/122"],
  theirRoutes: ["fd00:2:1::/64", "fd00:2::/122"],
} as const;

export const scenario: Scenario = {
  title: "a session comes up and carries routes both ways, with their attributes",
  variants: {
    iBGP: { ...four, theirAs: OUR_AS },
    eBGP: four,
    "iBGP over IPv6": { ...six, theirAs: OUR_AS },
    "eBGP over IPv6": six,
  },
  async run(stage, ends) {
    const { over = 4, ourRoutes = [], theirRoutes = [] } = ends;
    const internal = ends.theirAs === OUR_AS;
    await stage.start(ends);
    const report = await stage.untilWeHave(theirRoutes as string[]);
    assert.deepEqual(
      report.routes.map(({ nextHop, asPath }) => ({ nextHop, asPath })),
      theirRoutes.map(() => ({ nextHop: THEIRS[over], asPath: internal ? [] : [THEIR_AS] })),
    );
    assert.equal(report.peers[0]?.endOfRib, true);
    assert.equal(report.peers[0]?.holdTimeSeconds, 90);
    const routes = await stage.untilTheyHave(ourRoutes as string[]);
    for (const route of routes) {
      assert.equal(route.nextHop, OURS[over]);
      assert.deepEqual(route.asPath, internal ? [] : [OUR_AS]);
      if (internal) assert.equal(route.localPref, 100);
    }
    assert.equal((await stage.theirSession()).holdSeconds, 90);
  },
};
