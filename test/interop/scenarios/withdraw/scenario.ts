/** Withdrawals and announcements in a session that stays. */

import assert from "node:assert/strict";
import type { Scenario } from "../../scenario.ts";

export const scenario: Scenario = {
  title: "routes are withdrawn and told again, both ways, in one session",
  variants: { IPv4: {}, IPv6: { over: 6 } },
  async run(stage, { over = 4 }) {
    const [own, other] = over === 4 ? ["10.1", "10.2"] : ["fd00:1", "fd00:2"];
    const routes = (head: string) =>
      over === 4 ? [`${head}.0.0/26`, `${head}.1.0/24`] : [`${head}::/122`, `${head}:1::/64`];
    const [ours, theirs] = [routes(own!), routes(other!)];
    await stage.start({ over, ourRoutes: ours, theirRoutes: theirs });
    const { peers } = await stage.untilWeHave(theirs);
    await stage.untilTheyHave(ours);

    stage.configure({ over, ourRoutes: ours.slice(1) });
    await stage.untilTheyHave(ours.slice(1));
    stage.configure({ over, ourRoutes: ours });
    await stage.untilTheyHave(ours);

    await stage.theirs.setRoutes([{ prefix: theirs[0]! }]);
    await stage.untilWeHave(theirs.slice(0, 1));
    await stage.theirs.setRoutes([]);
    await stage.untilWeHave([]);
    await stage.theirs.setRoutes(theirs.map((prefix) => ({ prefix })));
    const report = await stage.untilWeHave(theirs);
    assert.equal(report.peers[0]?.sinceMs, peers[0]?.sinceMs, "one session throughout");
  },
};
