/** GTSM (RFC 5082) on the program's side: what we send comes from near enough, unless we are told otherwise. */

import assert from "node:assert/strict";
import { pause } from "../../place.ts";
import { eachDials, QUIET_MS, type Scenario } from "../../scenario.ts";

export const scenario: Scenario = {
  title: "a program that asks for neighbours hears us, and nobody from further away",
  variants: eachDials({ theyDial: ["ttlSecurity"], weDial: ["ttlSecurityListening"] }),
  async run(stage, ends) {
    const start = (ours: object) => {
      const theirs = { ...ends.theirs, ttlSecurityHops: 1 };
      return stage.start({ ...ends, ours: { ...ends.ours, ...ours }, theirs });
    };
    await start({ ttl: 254 });
    await stage.untilOurs("our speaker runs", () => true);
    await pause(QUIET_MS);
    // Not our side: a program that asks for the distance only once it has connected may have heard our OPEN,
    // and answered with a KEEPALIVE; what we say next it does not hear.
    const theirs = await stage.theirSession();
    assert.equal(theirs.established, false, `the program hears nothing: ${theirs.text}`);
    await stage.stop();
    await start({ ttlSecurityHops: 1 });
    await stage.untilEstablished();
  },
};
