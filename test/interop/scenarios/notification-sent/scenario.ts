/** We end the session with a NOTIFICATION and an operator's words (RFC 9003): the program drops our routes. */

import assert from "node:assert/strict";
import type { Scenario } from "../../scenario.ts";

export const scenario: Scenario = {
  title: "our shutdown is understood, and our routes go",
  variants: { "the end": {}, "the words": { needs: ["shutdownMessage"] } },
  async run(stage, _, variant) {
    const [ours, theirs] = [["10.1.0.0/26"], ["10.2.0.0/26"]];
    // Passive: what ended the session is not to be followed by what ended their next attempt.
    await stage.start({ ourRoutes: ours, theirRoutes: theirs, theirs: { passive: true } });
    await stage.untilWeHave(theirs);
    await stage.untilTheyHave(ours);
    await stage.ours.shutDown(variant === "the words" ? "moved to rack 7" : undefined);
    await stage.untilTheyHave([]);
    const { text } = await stage.untilTheySay("the session is gone", (session) => {
      return !session.established && stage.program.shutdownWords.test(session.text);
    });
    if (variant === "the words") assert.match(text, /moved to rack 7/);
  },
};
