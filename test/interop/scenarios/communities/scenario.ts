/**
 * Communities of all kinds (RFC 1997, 8092, 4360) from the program through our speaker to a second instance of
 * the program in another AS, and ours to both.
 */

import assert from "node:assert/strict";
import { OURS, THEIRS, THEIRS_TOO } from "../../lab.ts";
import { until } from "../../place.ts";
import { OUR_AS, ourConfig, type Scenario, THEIR_AS, theirSetup } from "../../scenario.ts";

const OTHER_AS = 65002;
const colours = (as: number) => ({
  communities: [`${as}:1`, `${as}:65535`],
  largeCommunities: ["4200000000:1:4294967295", `${as}:0:7`],
});
const own = { prefix: "10.1.0.0/26", ...colours(OUR_AS) };
const sent = { prefix: "10.2.0.0/26", ...colours(THEIR_AS), routeTargets: [`${THEIR_AS}:70000`] };
/** NO_EXPORT (RFC 1997): it is for us alone. */
const kept = { prefix: "10.2.1.0/24", communities: ["65535:65281"] };

export const scenario: Scenario = {
  title: "standard, large and extended communities pass through, NO_EXPORT is heeded",
  variants: { "all kinds": {}, NO_EXPORT: { needs: ["announcesNoExport"] } },
  async run(stage, _, variant) {
    const theirs = variant === "NO_EXPORT" ? [sent, kept] : [sent];
    const config = ourConfig({ ourRoutes: [own] });
    const [peer] = config.peers;
    const second = { ...peer!, name: "second", address: THEIRS_TOO[4], remoteAs: OTHER_AS };
    stage.startSpeaker({ ...config, peers: [peer!, second] });
    const first = await stage.startProgram(theirSetup({ theirRoutes: theirs }));
    const setup = theirSetup({ theirAs: OTHER_AS });
    const other = await stage.startProgram({
      ...setup,
      routerId: THEIRS_TOO[4],
      sessions: [{ ...setup.sessions[0]!, localAddress: THEIRS_TOO[4] }],
    });

    const both = await until(
      "the other instance has two routes",
      async () => {
        const routes = await other.routes();
        return routes.length >= 2 && routes;
      },
      { state: async () => (await other.session(OURS[4])).text },
    );
    const bare = { communities: [], largeCommunities: [], routeTargets: [] };
    const expect = new Map([
      [own.prefix, { ...bare, ...own, asPath: [OUR_AS], nextHop: OURS[4] }],
      [sent.prefix, { ...bare, ...sent, asPath: [OUR_AS, THEIR_AS], nextHop: OURS[4] }],
    ]);
    for (const route of both) assert.partialDeepStrictEqual(route, expect.get(route.prefix));
    assert.equal(both.length, 2, "what is not to be exported was not");

    const report = await stage.untilOurs("all of theirs", ({ routes }) => {
      return routes.length === theirs.length;
    });
    assert.partialDeepStrictEqual(report.routes[0], { ...sent, nextHop: THEIRS[4] });
    if (theirs.includes(kept)) assert.partialDeepStrictEqual(report.routes[1], kept);
    const back = await until("the first instance has ours", async () => (await first.routes())[0]);
    assert.partialDeepStrictEqual(back, { ...bare, ...own });
  },
};
