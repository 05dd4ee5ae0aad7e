/**
 * Sessions with Debian's BIRD 2, in fresh network namespaces. It proves, in this order, for iBGP, eBGP
 * with 4-octet AS numbers, eBGP with a BIRD that knows only 2-octet ones, and iBGP for IPv6: 1 session
 * up, routes both ways with their attributes; 2 withdrawals both ways; 3 a session BIRD restarts comes
 * back; 4 route refresh both ways; 5 our shutdown is told.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { birdConfig, ourConfig, type SessionOptions } from "./bird-config.ts";
import {
  BIRD_ADDRESS,
  BIRD_ADDRESS6,
  BirdLab,
  OUR_ADDRESS,
  OUR_ADDRESS6,
  until,
} from "./bird-lab.ts";

interface Case extends SessionOptions {
  readonly name: string;
  readonly tag: string;
  readonly birdRoutes: readonly [string, string];
  readonly ourRoutes: readonly [string, string];
  /** The AS path in our table, and a line BIRD must show of our route. */
  readonly ourPath: string;
  readonly birdShows: RegExp;
}

const four = {
  birdRoutes: ["10.2.0.0/26", "10.2.1.0/24"],
  ourRoutes: ["10.1.0.0/26", "10.1.7.1/32"],
} as const;

const cases: readonly Case[] = [
  {
    ...four,
    name: "iBGP",
    tag: "i",
    ourAs: 64512,
    birdAs: 64512,
    ourPath: "",
    birdShows: /BGP.local_pref: 100/,
  },
  {
    ...four,
    name: "eBGP with 4-octet AS numbers",
    tag: "e",
    ourAs: 4_200_000_001,
    birdAs: 4_200_000_002,
    ourPath: "4200000002",
    birdShows: /BGP.as_path: 4200000001/,
  },
  {
    ...four,
    name: "eBGP without 4-octet AS numbers",
    tag: "t",
    ourAs: 4_200_000_001,
    birdAs: 65000,
    // It refuses to be configured with a longer number.
    birdExpects: "external",
    birdOptions: "graceful restart on; enable as4 off;",
    ourPath: "65000",
    // Put together by BIRD from our AS4_PATH.
    birdShows: /BGP.as_path: 4200000001/,
  },
  {
    name: "iBGP for IPv6",
    tag: "x",
    ourAs: 64512,
    birdAs: 64512,
    family: 6,
    birdRoutes: ["fd00:2:1::/64", "fd00:2::/122"],
    ourRoutes: ["fd00:1:7::1/128", "fd00:1::/122"],
    ourPath: "",
    birdShows: /BGP.local_pref: 100/,
  },
];

for (const options of cases) {
  describe(`BIRD, ${options.name}`, () => {
    const { birdRoutes, ourRoutes } = options;
    const six = options.family === 6;
    let lab: BirdLab;

    before(async () => {
      lab = new BirdLab(options.tag);
      await lab.startBird(birdConfig(options));
      lab.startSpeaker();
      lab.tell({ config: ourConfig(options) });
    });

    after(() => lab.close());

    it("is established and exchanges routes", async () => {
      const report = await lab.untilOurs("converged with two routes", ({ converged, routes }) => {
        return converged && routes.length === 2;
      });
      const via = `via ${six ? BIRD_ADDRESS6 : BIRD_ADDRESS} as ${options.ourPath}`;
      assert.deepEqual(
        report.routes,
        birdRoutes.map((route) => `${route} ${via}`),
      );
      assert.equal(report.peers[0]?.endOfRib, true);
      await until("BIRD has both", () => lab.birdRouteCount() === 2);
      assert.deepEqual(lab.birdRoutes(), ourRoutes);
      const detail = lab.birdc(`show route ${ourRoutes[0]} all`);
      assert.match(detail, new RegExp(`BGP.next_hop: ${six ? OUR_ADDRESS6 : OUR_ADDRESS}`));
      assert.match(detail, options.birdShows);
      assert.match(lab.birdProtocol(), /Hold timer: +\d+\.\d+\/240/);
    });

    it("withdraws and learns of withdrawals", async () => {
      lab.tell({ config: ourConfig({ ...options, ourRoutes: [ourRoutes[0]] }) });
      await until("BIRD lost one", () => lab.birdRouteCount() === 1);
      assert.deepEqual(lab.birdRoutes(), [ourRoutes[0]]);
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
      assert.deepEqual(lab.birdRoutes(), [ourRoutes[0]]);
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
