/** GTSM (RFC 5082) on our side, whichever side dials. */

import assert from "node:assert/strict";
import { pause } from "../../place.ts";
import { eachDials, QUIET_MS, type Scenario } from "../../scenario.ts";

export const scenario: Scenario = {
  title: "we hear a program that is near enough, and none from further away",
  variants: eachDials(),
  async run(stage, ends) {
    const start = (ttlSecurityHops: number) =>
      stage.start({
        ...ends,
        ours: { ...ends.ours, ttlSecurityHops },
        theirs: { ...ends.theirs, ttl: 64 },
      });
    await start(1);
    await stage.untilOurs("our speaker runs", () => true);
    await pause(QUIET_MS);
    const { state } = stage.ours.report.peers[0]!;
    assert.match(state, /^(?!Established|OpenConfirm)/, "we hear nothing");
    await stage.stop();
    await start(256 - 64);
    await stage.untilEstablished();
  },
};
