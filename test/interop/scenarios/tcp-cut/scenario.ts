/** A connection that is reset under a session with graceful restart: no route is lost for it. */

import assert from "node:assert/strict";
import type { Scenario } from "../../scenario.ts";

export const scenario: Scenario = {
  title: "a connection that is reset costs nothing but a new one",
  variants: { "the session": {}, "the routes": { needs: ["forwards"] } },
  async run(stage, _, variant) {
    const [ours, theirs] = [["10.1.0.0/26"], ["10.2.0.0/26"]];
    await stage.start({ ourRoutes: ours, theirRoutes: theirs });
    const before = await stage.untilWeHave(theirs);
    await stage.untilTheyHave(ours);
    await stage.lab.resetConnections();
    const after = await stage.untilOurs("another session", ({ peers: [peer], converged }) => {
      const { sinceMs = 0 } = before.peers[0]!;
      return peer?.state === "Established" && peer.sinceMs > sinceMs && converged;
    });
    assert.notEqual(after.peers[0]!.lastError, "");
    assert.equal(after.routes.length, 1);
    if (variant === "the routes") assert.equal(after.lost, before.lost);
    await stage.untilTheyHave(ours);
  },
};
