/** A limit on the number of prefixes (RFC 4271 section 6.7, RFC 4486), kept by either side. */

import assert from "node:assert/strict";
import type { Scenario } from "../../scenario.ts";

const three = (head: string) => [0, 1, 2].map((index) => `${head}.${index}.0/24`);

export const scenario: Scenario = {
  title: "one prefix too many ends the session, and both ends say so",
  variants: {
    "our limit": { ours: { maximumPrefixes: 2 } },
    "the program's limit": { theirs: { maximumPrefixes: 2 }, needs: ["limitsPrefixes"] },
  },
  async run(stage, ends) {
    const [ours, theirs] = [three("10.1"), three("10.2")];
    const few = { ...ends, ourRoutes: ours.slice(1), theirRoutes: theirs.slice(1) };
    await stage.start(few);
    await stage.untilWeHave(theirs.slice(1));
    await stage.untilTheyHave(ours.slice(1));
    const ourLimit = ends.ours !== undefined;
    if (ourLimit) await stage.theirs.setRoutes(theirs.map((prefix) => ({ prefix })));
    else stage.configure({ ...few, ourRoutes: ours });
    const reason = ourLimit ? /^sent Cease \/ Maximum/ : /^received Cease \/ Maximum/;
    const { peers } = await stage.untilOurs("the reason", ({ peers: [peer] }) => {
      return reason.test(peer?.lastError ?? "");
    });
    assert.notEqual(peers[0]?.state, "Established");
    if (!ourLimit) return;
    await stage.theirs.setRoutes(theirs.slice(1).map((prefix) => ({ prefix })));
    await stage.untilWeHave(theirs.slice(1));
  },
};
