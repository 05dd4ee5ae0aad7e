/**
 * Ten thousand routes each way with Debian's BIRD 2, and a BIRD restart under them. BIRD announces with
 * two sets of attributes to show packing; every route is checked for, on both sides.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { systemClock } from "../../src/lib/index.ts";
import { birdConfig, ourConfig, type SessionOptions } from "./bird-config.ts";
import { BirdLab, until } from "./bird-lab.ts";

const COUNT = 10_000;

/** /26 blocks from `first`.0.0.0 on. */
function blocks(first: number): string[] {
  return Array.from({ length: COUNT }, (_, index) => {
    const at = index * 64;
    return `${first}.${(at >>> 16) & 255}.${(at >>> 8) & 255}.${at & 255}/26`;
  });
}

describe("ten thousand routes with BIRD", () => {
  const options: SessionOptions = {
    ourAs: 64512,
    birdAs: 64512,
    birdRoutes: blocks(10),
    ourRoutes: blocks(11),
  };
  let lab: BirdLab;

  before(async () => {
    lab = new BirdLab("s");
    await lab.startBird(birdConfig(options));
  });

  after(() => lab.close());

  it("exchanges them both ways", async (context) => {
    lab.startSpeaker();
    const startMs = systemClock.monotonicMs();
    lab.tell({ config: ourConfig(options) });
    const report = await lab.untilOurs("all learned", ({ routeCount, converged }) => {
      return routeCount === COUNT && converged;
    });
    const learnedMs = systemClock.monotonicMs() - startMs;
    await until("BIRD has all", () => lab.birdRouteCount() === COUNT);
    const sentMs = systemClock.monotonicMs() - startMs;
    assert.deepEqual(new Set(lab.birdRoutes()), new Set(blocks(11)));
    assert.equal(report.peers[0]?.routesReceived, COUNT);
    context.diagnostic(
      `learned in ${learnedMs.toFixed(0)} ms, BIRD in ${sentMs.toFixed(0)} ms, RSS ${(report.rssBytes / 2 ** 20).toFixed(0)} MiB`,
    );
  });

  it("withdraws them, and sends nothing for what stays", async () => {
    const kept = blocks(11).slice(0, 10);
    lab.tell({ config: ourConfig({ ...options, ourRoutes: kept }) });
    await until("BIRD has ten", () => lab.birdRouteCount() === kept.length);
    assert.deepEqual(new Set(lab.birdRoutes()), new Set(kept));
  });

  it("loses none while BIRD restarts", async () => {
    const { lost } = lab.report;
    await lab.stopBird("SIGKILL");
    await lab.untilOurs("waiting for BIRD", ({ peers }) => peers[0]?.gracefulRestart === true);
    await lab.startBird(birdConfig(options), "-R");
    const report = await lab.untilOurs("BIRD has told all", ({ converged, peers }) => {
      return converged && peers[0]?.state === "Established";
    });
    assert.equal(report.routeCount, COUNT);
    assert.equal(report.lost, lost);
  });
});
