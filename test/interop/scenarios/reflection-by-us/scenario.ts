/** Our speaker as route reflector (RFC 4456) between the program and another speaker, clients both. */

import assert from "node:assert/strict";
import { OURS, OURS_TOO, THEIRS } from "../../lab.ts";
import { OUR_AS, ourConfig, type Scenario } from "../../scenario.ts";

export const scenario: Scenario = {
  title: "what one client tells our reflector, the other learns, with its origin and the cluster",
  async run(stage) {
    const ends = { theirAs: OUR_AS, theirRoutes: ["10.2.0.0/26"], ourRoutes: ["10.1.0.0/26"] };
    const config = ourConfig({ ...ends, ours: { routeReflectorClient: true } });
    const [client] = config.peers;
    const third = { ...client!, name: "third", address: OURS_TOO[4] };
    stage.startSpeaker({ ...config, peers: [client!, third] });
    await stage.startTheirs(ends);
    const single = ourConfig({ ...ends, ourRoutes: ["10.3.0.0/26"] });
    const other = stage.startSpeaker({
      ...single,
      routerId: OURS_TOO[4],
      listen: [],
      peers: [{ ...single.peers[0]!, address: OURS[4], localAddress: OURS_TOO[4] }],
    });

    const { routes } = await other.until("both others", ({ routes }) => routes.length === 2);
    assert.deepEqual(
      routes.map(({ prefix, nextHop, asPath }) => [prefix, nextHop, asPath]),
      [
        ["10.1.0.0/26", OURS[4], []],
        ["10.2.0.0/26", THEIRS[4], []],
      ],
    );
    const learned = await stage.untilTheyHave(["10.1.0.0/26", "10.3.0.0/26"]);
    const reflected = learned.find(({ prefix }) => prefix === "10.3.0.0/26");
    assert.equal(reflected?.nextHop, OURS_TOO[4], "a reflector leaves the next hop alone");
    assert.equal(reflected?.originatorId, OURS_TOO[4]);
    assert.deepEqual(reflected?.clusterList, [OURS[4]]);
    const direct = learned.find(({ prefix }) => prefix === "10.1.0.0/26");
    assert.equal(direct?.originatorId, undefined);
    other.configure({ ...single, routerId: OURS_TOO[4], listen: [], peers: [] });
    await stage.untilTheyHave(["10.1.0.0/26"]);
  },
};
