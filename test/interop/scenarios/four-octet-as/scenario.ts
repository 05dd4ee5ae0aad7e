/** AS numbers of four octets (RFC 6793), and a program that does not know them: AS_TRANS and AS4_PATH. */

import assert from "node:assert/strict";
import type { Scenario } from "../../scenario.ts";

const OURS = 4_200_000_001;

export const scenario: Scenario = {
  title: "long AS numbers arrive whole",
  variants: {
    "both know them": { theirAs: 4_200_000_002 },
    "the program does not offer them": {
      theirAs: 65000,
      theirs: { twoOctetAs: true },
      needs: ["twoOctetAs"],
    },
  },
  async run(stage, ends) {
    await stage.start({
      ...ends,
      ourAs: OURS,
      ourRoutes: ["10.1.0.0/26"],
      theirRoutes: ["10.2.0.0/26"],
    });
    const { routes } = await stage.untilWeHave(["10.2.0.0/26"]);
    assert.deepEqual(routes[0]?.asPath, [ends.theirAs]);
    const [learned] = await stage.untilTheyHave(["10.1.0.0/26"]);
    // Without the capability put together by the program, from our AS4_PATH.
    assert.deepEqual(learned?.asPath, [OURS]);
  },
};
