/** The program ends the session with a NOTIFICATION: it is shown in words, and the session comes back. */

import type { Scenario } from "../../scenario.ts";

export const scenario: Scenario = {
  title: "a reset by the program is told in words, and the session comes back",
  variants: {
    "with graceful restart": { needs: ["tellsInGrace"] },
    "without graceful restart": { theirs: { restartSeconds: undefined } },
  },
  async run(stage, ends) {
    const [ours, theirs] = [["10.1.0.0/26"], ["10.2.0.0/26"]];
    await stage.start({ ...ends, ourRoutes: ours, theirRoutes: theirs });
    await stage.untilWeHave(theirs);
    await stage.theirs.reset();
    // A Hard Reset from those that know RFC 8538: routes are not to be kept through it.
    const told = /^received Cease \/ (Hard Reset: Cease \/ )?Administrative Reset/m;
    await stage.untilOurs("the error is shown", () => told.test(stage.ours.errors.join("\n")));
    await stage.untilEstablished();
    await stage.untilWeHave(theirs);
    await stage.untilTheyHave(ours);
  },
};
