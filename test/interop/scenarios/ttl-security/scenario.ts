/** GTSM (RFC 5082), whichever side dials. */

import assert from "node:assert/strict";
import { pause } from "../../place.ts";
import { QUIET_MS, type Scenario } from "../../scenario.ts";

const theyDial = { ours: { passive: true }, needs: ["dials"] } as const;
const weDial = { theirs: { passive: true } } as const;

export const scenario: Scenario = {
  title: "a session only where both ends are near enough",
  needs: ["ttlSecurity"],
  variants: {
    "the program dials": theyDial,
    "we dial": weDial,
    "the program dials over IPv6": { over: 6, ...theyDial },
    "we dial over IPv6": { over: 6, ...weDial },
  },
  async run(stage, ends) {
    const start = (ours: object, theirs: object) =>
      stage.start({
        ...ends,
        ours: { ...ends.ours, ...ours },
        theirs: { ...ends.theirs, ...theirs },
      });
    const none = async (state: RegExp, why: string) => {
      await stage.untilOurs("our speaker runs", () => true);
      await pause(QUIET_MS);
      assert.match(stage.ours.report.peers[0]!.state, state, why);
      await stage.stop();
    };
    await start({ ttl: 254 }, { ttlSecurityHops: 1 });
    await none(/^(?!Established)/, "the program hears nothing");
    await start({ ttlSecurityHops: 1 }, { ttl: 64 });
    await none(/^(?!Established|OpenConfirm)/, "we hear nothing");
    await start({ ttlSecurityHops: 1 }, { ttlSecurityHops: 1 });
    await stage.untilEstablished();
    await stage.stop();
    await start({ ttlSecurityHops: 200 }, { ttl: 64 });
    await stage.untilEstablished();
  },
};
