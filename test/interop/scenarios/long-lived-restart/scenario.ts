/** Long-lived graceful restart (RFC 9494), whichever side is away for longer than its restart time. */

import assert from "node:assert/strict";
import { until } from "../../place.ts";
import type { Ends, Scenario, Stage } from "../../scenario.ts";

const LLGR_STALE = "65535:6";
const route = "10.2.0.0/26";
const restartSeconds = 1;
const longLivedSeconds = 600;

const ends: Ends = {
  ours: {
    restartTimeSeconds: restartSeconds,
    longLivedRestart: { staleTimeSeconds: longLivedSeconds },
  },
  theirs: { restartSeconds, longLivedSeconds },
};

const isMarked = ({ communities }: { readonly communities: readonly string[] }) =>
  communities.includes(LLGR_STALE);

async function theyAreAway(stage: Stage): Promise<void> {
  const theirs = { ...ends, theirRoutes: [route] };
  await stage.start(theirs);
  const before = await stage.untilWeHave([route]);
  await stage.theirs.stop("SIGKILL");
  const kept = await stage.untilOurs("routes kept for longer", ({ routes }) =>
    routes.some(isMarked),
  );
  assert.equal(kept.lost, before.lost);
  assert.equal(kept.peers[0]?.gracefulRestart, false);
  assert.equal(kept.peers[0]?.longLivedRestart, true);
  await stage.startTheirs(theirs, true);
  await stage.untilOurs("routes told again", ({ routes }) => {
    return routes.length === 1 && !routes.some(isMarked);
  });
}

async function weAreAway(stage: Stage): Promise<void> {
  const ours = { ...ends, ourRoutes: [route] };
  await stage.start(ours);
  await stage.untilTheyHave([route]);
  await stage.ours.kill();
  const marked = (wanted: boolean) =>
    until(
      wanted ? "routes kept for longer" : "routes told again",
      async () => {
        const routes = await stage.theirs.routes();
        return routes.length === 1 && routes.every((each) => isMarked(each) === wanted);
      },
      { state: () => stage.state() },
    );
  await marked(true);
  stage.startOurs(ours);
  await marked(false);
}

export const scenario: Scenario = {
  title: "routes of who is away for long stay as a last resort, and are as before when told again",
  needs: ["longLivedRestart"],
  variants: { "they are away": {}, "we are away": { needs: ["keepsRoutes"] } },
  run: (stage, _, variant) => (variant === "we are away" ? weAreAway : theyAreAway)(stage),
};
