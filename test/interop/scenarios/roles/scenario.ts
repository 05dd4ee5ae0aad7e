/** Roles (RFC 9234): told, agreed on, marked on routes, and refused where they do not fit. */

import assert from "node:assert/strict";
import { OUR_AS, type Scenario } from "../../scenario.ts";

export const scenario: Scenario = {
  title: "roles that fit make a session, roles that do not end in a NOTIFICATION",
  needs: ["roles"],
  async run(stage) {
    const ends = (role: "peer" | "provider") => ({
      ours: { role, strictRole: true },
      theirs: { role: "customer" as const },
      ourRoutes: ["10.1.0.0/26"],
      theirRoutes: ["10.2.0.0/26"],
    });
    await stage.start(ends("provider"));
    await stage.untilWeHave(["10.2.0.0/26"]);
    const [route] = await stage.untilTheyHave(["10.1.0.0/26"]);
    assert.equal(route?.onlyToCustomer, OUR_AS);
    stage.configure(ends("peer"));
    const told = /^(sent|received) OPEN Message Error \/ Role Mismatch/m;
    await stage.untilOurs("an error", () => told.test(stage.ours.errors.join("\n")));
    assert.notEqual(stage.ours.report.peers[0]?.state, "Established");
    stage.configure(ends("provider"));
    await stage.untilWeHave(["10.2.0.0/26"]);
  },
};
