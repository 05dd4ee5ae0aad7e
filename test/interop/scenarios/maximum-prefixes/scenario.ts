/** A limit on the number of prefixes (RFC 4271 section 6.7, RFC 4486), kept by either side. */

import type { Scenario } from "../../scenario.ts";

const routes = (head: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${head}.${index}.0/24`);

export const scenario: Scenario = {
  title: "a prefix too many ends the session, and both ends say so",
  variants: {
    "our limit": { ours: { maximumPrefixes: 2 } },
    "the program's limit": { theirs: { maximumPrefixes: 2 }, needs: ["limitsPrefixes"] },
  },
  async run(stage, ends) {
    const [ours, theirs] = [routes("10.1", 2), routes("10.2", 2)];
    const few = { ...ends, ourRoutes: ours, theirRoutes: theirs };
    await stage.start(few);
    await stage.untilWeHave(theirs);
    await stage.untilTheyHave(ours);
    const ourLimit = ends.ours !== undefined;
    if (ourLimit) await stage.theirs.setRoutes(routes("10.2", 3).map((prefix) => ({ prefix })));
    // Two too many: FRR looks at the number before it counts the new one.
    else stage.configure({ ...few, ourRoutes: routes("10.1", 4) });
    const reason = ourLimit
      ? /^sent Cease \/ Maximum/
      : /^received Cease \/ (Hard Reset: Cease \/ )?Maximum/;
    await stage.untilOurs("the reason", ({ peers: [peer] }) => {
      return peer?.state !== "Established" && stage.ours.errors.some((each) => reason.test(each));
    });
    if (!ourLimit) return;
    await stage.theirs.setRoutes(theirs.map((prefix) => ({ prefix })));
    await stage.untilWeHave(theirs);
  },
};
