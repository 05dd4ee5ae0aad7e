/**
 * Sessions with Debian's BIRD 2, in fresh network namespaces. It proves, in this order, for iBGP and
 * eBGP (with a 4-octet AS): 1 session up, routes both ways with their attributes; 2 withdrawals both
 * ways; 3 a session BIRD restarts comes back; 4 route refresh both ways; 5 our shutdown is told.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { birdConfig, ourConfig } from "./bird-config.ts";
import { BIRD_ADDRESS, BirdLab, OUR_ADDRESS, until } from "./bird-lab.ts";

const cases = [
  { name: "iBGP", tag: "i", ourAs: 64512, birdAs: 64512 },
  { name: "eBGP with 4-octet AS numbers", tag: "e", ourAs: 4_200_000_001, birdAs: 4_200_000_002 },
];

for (const { name, tag, ourAs, birdAs } of cases) {
  describe(`BIRD, ${name}`, () => {
    let lab: BirdLab;
    const internal = ourAs === birdAs;

    before(async () => {
      lab = new BirdLab(tag);
      const birdRoutes = ["10.2.0.0/26", "10.2.1.0/24"];
      await lab.startBird(birdConfig({ ourAs, birdAs, birdRoutes }));
      lab.startSpeaker();
      lab.tell({ config: ourConfig({ ourAs, birdAs, ourRoutes: ["10.1.0.0/26", "10.1.7.1/32"] }) });
    });

    after(() => lab.close());

    it("is established and exchanges routes", async () => {
      const path = internal ? "" : String(birdAs);
      const report = await lab.untilOurs("converged with two routes", ({ converged, routes }) => {
        return converged && routes.length === 2;
      });
      assert.deepEqual(report.routes, [
        `10.2.0.0/26 via ${BIRD_ADDRESS} as ${path}`,
        `10.2.1.0/24 via ${BIRD_ADDRESS} as ${path}`,
      ]);
      assert.equal(report.peers[0]?.endOfRib, true);
      await until("BIRD has both", () => lab.birdRouteCount() === 2);
      assert.deepEqual(lab.birdRoutes(), ["10.1.0.0/26", "10.1.7.1/32"]);
      const detail = lab.birdc("show route 10.1.0.0/26 all");
      assert.match(detail, new RegExp(`BGP.next_hop: ${OUR_ADDRESS}`));
      assert.match(detail, internal ? /BGP.local_pref: 100/ : new RegExp(`BGP.as_path: ${ourAs}`));
      assert.match(lab.birdProtocol(), /Hold timer: +\d+\.\d+\/240/);
    });

    it("withdraws and learns of withdrawals", async () => {
      lab.tell({ config: ourConfig({ ourAs, birdAs, ourRoutes: ["10.1.0.0/26"] }) });
      await until("BIRD lost one", () => lab.birdRouteCount() === 1);
      assert.deepEqual(lab.birdRoutes(), ["10.1.0.0/26"]);
      lab.birdc("disable blocks");
      await lab.untilOurs("no routes", ({ routes }) => routes.length === 0);
      lab.birdc("enable blocks");
      const report = await lab.untilOurs("both again", ({ routes }) => routes.length === 2);
      assert.equal(report.peers[0]?.state, "Established");
    });

    it("comes back after BIRD restarts the session", async () => {
      lab.birdc("restart ours");
      await lab.untilOurs("the error is shown", ({ peers }) => {
        return peers[0]?.lastError === "received Cease / Administrative Reset";
      });
      await lab.untilOurs("established again", ({ peers, routes }) => {
        return peers[0]?.state === "Established" && routes.length === 2;
      });
      await until("BIRD has ours", () => lab.birdRouteCount() === 1);
    });

    it("refreshes routes both ways", async () => {
      const updates = (line: string) =>
        Number(new RegExp(`${line}: +(\\d+)`).exec(lab.birdProtocol())?.[1] ?? -1);
      const imported = updates("Import updates");
      lab.birdc("reload in ours");
      await until("BIRD got ours again", () => updates("Import updates") > imported);
      assert.deepEqual(lab.birdRoutes(), ["10.1.0.0/26"]);
      const exported = updates("Export updates");
      lab.tell({ refresh: "bird" });
      await until("BIRD sent its own again", () => updates("Export updates") >= exported + 2);
      const report = await lab.untilOurs("still both", ({ routes }) => routes.length === 2);
      assert.equal(report.peers[0]?.state, "Established");
    });

    it("tells BIRD of its shutdown", async () => {
      await lab.stopSpeaker("stop");
      await until("BIRD dropped all", () => lab.birdRouteCount() === 0);
      assert.match(lab.birdProtocol(), /Administrative shutdown/);
    });
  });
}
