/** The program restarts behind a cut: its new connection meets one that looks alive here (RFC 4724 section 4.2). */

import assert from "node:assert/strict";
import type { Scenario } from "../../scenario.ts";

const ours = ["10.1.0.0/26"];
const theirs = ["10.2.0.0/26", "10.2.1.0/24"];

export const scenario: Scenario = {
  title: "a restarted program's new connection is taken although the old one looks alive",
  async run(stage) {
    const ends = { ourRoutes: ours, theirRoutes: theirs };
    await stage.start(ends);
    const before = await stage.untilWeHave(theirs);
    await stage.untilTheyHave(ours);
    await stage.lab.cutConnections();
    await stage.theirs.stop("SIGKILL");
    await stage.startTheirs(ends, true);
    const after = await stage.untilOurs("another session", ({ peers: [peer] }) => {
      return /another connection took over/.test(peer?.lastError ?? "") && peer!.endOfRib;
    });
    assert.deepEqual(
      after.routes.map(({ prefix, stale }) => [prefix, stale]),
      theirs.map((prefix) => [prefix, false]),
    );
    assert.equal(after.lost, before.lost);
    await stage.untilTheyHave(ours);
  },
};
