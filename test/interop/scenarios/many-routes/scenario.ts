/** Ten thousand routes each way, a withdrawal of nearly all, and a restart of the program under them. */

import assert from "node:assert/strict";
import { until } from "../../place.ts";
import { OUR_AS, type Scenario } from "../../scenario.ts";

const COUNT = 10_000;

/** /26 blocks from `first`.0.0.0 on. */
function blocks(first: number): string[] {
  return Array.from({ length: COUNT }, (_, index) => {
    const at = index * 64;
    return `${first}.${(at >>> 16) & 255}.${(at >>> 8) & 255}.${at & 255}/26`;
  });
}

export const scenario: Scenario = {
  title: "ten thousand routes each way, every one of them, and none lost in a restart",
  needs: ["manyRoutes"],
  async run(stage) {
    const [ours, theirs] = [blocks(11), blocks(10)];
    const ends = { theirAs: OUR_AS, theirRoutes: theirs, ourRoutes: ours };
    await stage.startTheirs(ends);
    stage.startOurs(ends);
    const all = ({ routeCount, converged }: { routeCount: number; converged: boolean }) =>
      routeCount === COUNT && converged;
    await stage.untilOurs("all learned", all);
    await stage.untilTheyHave(ours);

    const kept = ours.slice(0, 10);
    stage.configure({ ...ends, ourRoutes: kept });
    await stage.untilTheyHave(kept);

    const { lost } = stage.ours.report;
    await stage.theirs.stop("SIGKILL");
    await stage.untilOurs("waiting", ({ peers }) => peers[0]?.gracefulRestart === true);
    await stage.startTheirs(ends, true);
    const report = await stage.untilOurs("it has told all", ({ converged, peers }) => {
      return converged && peers[0]?.state === "Established";
    });
    assert.equal(report.routeCount, COUNT);
    assert.equal(report.lost, lost);
    await until("it has ours again", async () => (await stage.theirs.routes()).length === 10);
  },
};
