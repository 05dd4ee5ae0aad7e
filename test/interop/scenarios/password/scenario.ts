/** TCP MD5 signatures (RFC 2385), whichever side dials. */

import assert from "node:assert/strict";
import { pause } from "../../place.ts";
import { eachDials, QUIET_MS, type Scenario } from "../../scenario.ts";

export const scenario: Scenario = {
  title: "a session only where both ends have the same password",
  variants: eachDials(),
  async run(stage, ends) {
    const withPasswords = (ours: string | undefined, theirs: string | undefined) => ({
      ...ends,
      ours: { ...ends.ours, ...(ours === undefined ? {} : { password: ours }) },
      theirs: { ...ends.theirs, ...(theirs === undefined ? {} : { password: theirs }) },
    });
    const none = async (why: string) => {
      await stage.untilOurs("our speaker runs", () => true);
      await pause(QUIET_MS);
      assert.match(stage.ours.report.peers[0]!.state, /^(Idle|Connect|Active)$/, why);
    };
    await stage.start(withPasswords("wrong", "right"));
    await none("two passwords");
    stage.configure(withPasswords(undefined, "right"));
    await none("a password on their side alone");
    stage.configure(withPasswords("right", "right"));
    await stage.untilEstablished();
    await stage.stop();

    await stage.start(withPasswords("right", undefined));
    await none("a password on our side alone");
    stage.configure(withPasswords(undefined, undefined));
    await stage.untilEstablished();
  },
};
