/** Several paths to one prefix (RFC 7911), whoever tells them, and the withdrawal of one of them. */

import assert from "node:assert/strict";
import { type Addresses, OURS, OURS_LAST, OURS_TOO, THEIRS, THEIRS_TOO } from "../../lab.ts";
import { until } from "../../place.ts";
import { OUR_AS, ourConfig, PEER, type Scenario, type Stage, theirSetup } from "../../scenario.ts";

const shared = "10.9.0.0/24";
const internal = { theirAs: OUR_AS } as const;

/** A speaker of ours with one session, which originates the shared prefix until it is told otherwise. */
function source(stage: Stage, at: Addresses, to: Addresses) {
  const config = (routes: readonly string[]) => {
    const made = ourConfig({ ...internal, ourRoutes: routes });
    const [peer] = made.peers;
    return {
      ...made,
      routerId: at[4],
      listen: [{ addresses: [at[4]], port: 179 }],
      peers: [{ ...peer!, address: to[4], localAddress: at[4] }],
    };
  };
  const speaker = stage.startSpeaker(config([shared]));
  return { withdraw: () => speaker.configure(config([])) };
}

async function untilPaths(stage: Stage, nextHops: readonly string[]): Promise<void> {
  await stage.untilOurs(`paths by ${nextHops.join(", ")}`, ({ routes }) => {
    return routes.find(({ prefix }) => prefix === shared)?.paths.join() === nextHops.join();
  });
}

async function weTell(stage: Stage): Promise<void> {
  const config = ourConfig({
    ...internal,
    ours: { routeReflectorClient: true, addPath: { send: "all" } },
  });
  const [peer] = config.peers;
  const client = (name: string, at: Addresses) => ({ ...peer!, name, address: at[4] });
  const clients = [client("first", OURS_TOO), client("second", OURS_LAST)];
  stage.startSpeaker({ ...config, peers: [peer!, ...clients] });
  source(stage, OURS_TOO, OURS);
  const last = source(stage, OURS_LAST, OURS);
  await stage.startTheirs({ ...internal, theirs: { addPath: true } });
  const nextHops = async (count: number) =>
    until(
      `${count} paths at the program`,
      async () => {
        const found = (await stage.theirs.routes()).filter(({ prefix }) => prefix === shared);
        return found.length === count && found.map(({ nextHop }) => nextHop).sort();
      },
      { state: () => stage.state() },
    );
  assert.deepEqual(await nextHops(2), [OURS_TOO[4], OURS_LAST[4]]);
  last.withdraw();
  assert.deepEqual(await nextHops(1), [OURS_TOO[4]]);
}

async function theyReflect(stage: Stage): Promise<void> {
  stage.startOurs({ ...internal, ours: { addPath: { receive: true } } });
  const setup = theirSetup({ ...internal, theirs: { reflectorClient: true, addPath: true } });
  const [session] = setup.sessions;
  const more = [OURS_TOO, OURS_LAST].map((at) => ({ ...session!, neighbor: at[4] }));
  await stage.startProgram({ ...setup, sessions: [session!, ...more] });
  source(stage, OURS_TOO, THEIRS);
  const last = source(stage, OURS_LAST, THEIRS);
  await untilPaths(stage, [OURS_TOO[4], OURS_LAST[4]]);
  last.withdraw();
  await untilPaths(stage, [OURS_TOO[4]]);
}

async function theyAnnounce(stage: Stage): Promise<void> {
  const [first, second] = [THEIRS, THEIRS_TOO].map((at, index) => {
    return { prefix: shared, nextHop: at[4], pathId: index + 1 };
  });
  await stage.start({
    ours: { addPath: { receive: true } },
    theirs: { addPath: true },
    theirRoutes: [first!, second!],
  });
  await untilPaths(stage, [THEIRS[4], THEIRS_TOO[4]]);
  await stage.theirs.setRoutes([second!]);
  await untilPaths(stage, [THEIRS_TOO[4]]);
  assert.equal(stage.ours.report.peers.find(({ name }) => name === PEER)?.routesReceived, 1);
}

export const scenario: Scenario = {
  title: "all paths to a prefix arrive, and each goes by itself",
  variants: {
    "we tell": {},
    "the program reflects": { needs: ["reflects"] },
    "the program announces": { needs: ["announcesPaths"] },
  },
  async run(stage, _, variant) {
    if (variant === "we tell") await weTell(stage);
    else if (variant === "the program reflects") await theyReflect(stage);
    else await theyAnnounce(stage);
  },
};
