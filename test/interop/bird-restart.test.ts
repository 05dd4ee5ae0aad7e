/**
 * Graceful restart (RFC 4724) with Debian's BIRD 2, in fresh network namespaces. It proves: 1 BIRD
 * killed and restarted: its routes stay throughout, what it no longer has goes at its End-of-RIB;
 * 2 the same when our side has not heard of the old connection's end; 3 our speaker killed and
 * restarted: BIRD keeps our routes, and drops what we no longer have; 4 BIRD killed for good: its
 * routes go after its restart time; 5 BIRD without graceful restart: its routes go at once.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { birdConfig, ourConfig, type SessionOptions } from "./bird-config.ts";
import { BIRD_ADDRESS, BirdLab, until } from "./bird-lab.ts";

const bothRoutes: SessionOptions = {
  ourAs: 64512,
  birdAs: 64513,
  birdRoutes: ["10.2.0.0/26", "10.2.1.0/24"],
  ourRoutes: ["10.1.0.0/26", "10.1.1.0/24"],
};

describe("graceful restart with BIRD", () => {
  let lab: BirdLab;

  before(async () => {
    lab = new BirdLab("g");
    await lab.startBird(birdConfig(bothRoutes));
    lab.startSpeaker();
    lab.tell({ config: ourConfig(bothRoutes) });
    await lab.untilOurs("two routes", ({ converged, routes }) => converged && routes.length === 2);
    await until("BIRD has both", () => lab.birdRouteCount() === 2);
  });

  after(() => lab.close());

  it("keeps BIRD's routes while BIRD restarts, and drops what it no longer has", async () => {
    await lab.stopBird("SIGKILL");
    const away = await lab.untilOurs("waiting for BIRD", ({ peers }) => {
      return peers[0]?.state !== "Established" && peers[0]?.gracefulRestart === true;
    });
    assert.equal(away.routes.length, 2);
    assert.ok(
      away.routes.every((route) => route.endsWith(" stale")),
      away.routes.join(),
    );
    assert.equal(away.converged, false);

    await lab.startBird(birdConfig({ ...bothRoutes, birdRoutes: ["10.2.0.0/26"] }), "-R");
    const back = await lab.untilOurs("BIRD is back and has told all", ({ peers, routes }) => {
      return peers[0]?.endOfRib === true && routes.length === 1;
    });
    assert.deepEqual(back.routes, [`10.2.0.0/26 via ${BIRD_ADDRESS} as 64513`]);
    assert.equal(back.lost, 1, "only the route BIRD no longer has was lost");
    await until("BIRD has ours again", () => lab.birdRouteCount() === 2);
  });

  it("takes BIRD's new connection although the old one looks alive", async () => {
    lab.cutConnections();
    await lab.stopBird("SIGKILL");
    const { lost } = lab.report;
    await lab.startBird(birdConfig({ ...bothRoutes, birdRoutes: ["10.2.0.0/26"] }), "-R");
    const replaced = await lab.untilOurs("another session", ({ peers }) => {
      return peers[0]?.lastError === "another connection took over" && peers[0].endOfRib;
    });
    assert.deepEqual(replaced.routes, [`10.2.0.0/26 via ${BIRD_ADDRESS} as 64513`]);
    assert.equal(replaced.lost, lost);
    await until("BIRD has ours again", () => lab.birdRouteCount() === 2);
  });

  it("has its routes kept by BIRD while it restarts", async () => {
    await lab.stopSpeaker("SIGKILL");
    await until("BIRD waits for us", () => {
      return /Neighbor graceful restart active/.test(lab.birdProtocol());
    });
    assert.deepEqual(lab.birdRoutes(), ["10.1.0.0/26", "10.1.1.0/24"]);

    lab.startSpeaker();
    lab.tell({ config: ourConfig({ ...bothRoutes, ourRoutes: ["10.1.1.0/24"] }) });
    let fewest = 2;
    await until("BIRD has dropped what is gone", () => {
      const count = lab.birdRouteCount();
      fewest = Math.min(fewest, count);
      return count === 1;
    });
    assert.equal(fewest, 1);
    assert.deepEqual(lab.birdRoutes(), ["10.1.1.0/24"]);
    await lab.untilOurs("converged", ({ converged, routes }) => converged && routes.length === 1);
  });

  it("drops BIRD's routes when it does not come back in its restart time", async () => {
    const options: SessionOptions = {
      ...bothRoutes,
      birdOptions: "graceful restart on; graceful restart time 2;",
    };
    await lab.stopBird("SIGTERM");
    await lab.startBird(birdConfig(options));
    const report = await lab.untilOurs("two routes", ({ converged, routes }) => {
      return converged && routes.length === 2;
    });
    const lostBefore = report.lost;
    await lab.stopBird("SIGKILL");
    await lab.untilOurs("routes kept", ({ peers }) => peers[0]?.gracefulRestart === true);
    const gone = await lab.untilOurs("routes dropped", ({ routes }) => routes.length === 0);
    assert.equal(gone.lost - lostBefore, 2);
    assert.equal(gone.peers[0]?.gracefulRestart, false);
  });

  it("keeps nothing of a peer without graceful restart", async () => {
    await lab.startBird(birdConfig({ ...bothRoutes, birdOptions: "graceful restart off;" }));
    await lab.untilOurs("two routes", ({ converged, routes }) => converged && routes.length === 2);
    await lab.stopBird("SIGKILL");
    const gone = await lab.untilOurs("routes dropped", ({ routes }) => routes.length === 0);
    assert.equal(gone.peers[0]?.gracefulRestart, false);
  });
});
