/** The program as route reflector (RFC 4456) between two speakers of ours. */

import assert from "node:assert/strict";
import { OURS, OURS_TOO, THEIRS } from "../../lab.ts";
import { OUR_AS, ourConfig, type Scenario, theirSetup } from "../../scenario.ts";

export const scenario: Scenario = {
  title:
    "two speakers of ours learn from each other through the program, and nothing of themselves",
  needs: ["reflects"],
  async run(stage) {
    const ends = { theirAs: OUR_AS, theirRoutes: ["10.2.0.0/26"], ourRoutes: ["10.1.0.0/26"] };
    const setup = theirSetup({ ...ends, theirs: { reflectorClient: true } });
    const [session] = setup.sessions;
    const second = { ...session!, neighbor: OURS_TOO[4] };
    const one = stage.startSpeaker(ourConfig(ends));
    const config = ourConfig({ ...ends, ourRoutes: ["10.3.0.0/26"] });
    const other = stage.startSpeaker({
      ...config,
      routerId: OURS_TOO[4],
      listen: [{ addresses: [OURS_TOO[4]], port: 179 }],
      peers: [{ ...config.peers[0]!, localAddress: OURS_TOO[4] }],
    });
    await stage.startProgram({ ...setup, sessions: [session!, second] });

    const nextHops = async (speaker: typeof one) => {
      const { routes } = await speaker.until("two routes", ({ routes, converged }) => {
        return converged && routes.length === 2;
      });
      return routes.map(({ prefix, nextHop }) => [prefix, nextHop]);
    };
    const program = ["10.2.0.0/26", THEIRS[4]];
    assert.deepEqual(await nextHops(one), [program, ["10.3.0.0/26", OURS_TOO[4]]]);
    assert.deepEqual(await nextHops(other), [["10.1.0.0/26", OURS[4]], program]);
    await other.shutDown();
    await one.until("one route less", ({ routes }) => routes.length === 1);
  },
};
