/**
 * A session between link-local addresses, as a fabric without addresses of its own has: both families go with
 * next hops that only the link knows (RFC 2545, RFC 8950). BIRD tells `::` before its link-local address.
 */

import assert from "node:assert/strict";
import { OURS, THEIRS } from "../../lab.ts";
import type { Scenario } from "../../scenario.ts";

export const scenario: Scenario = {
  title: "both families go over addresses that only the link knows",
  needs: ["linkLocal"],
  async run(stage) {
    const ends = {
      families: ["ipv4-unicast", "ipv6-unicast"],
      ours: {
        ...{ address: THEIRS.link, localAddress: OURS.link, device: "eth0" },
        extendedNextHop: true,
      },
      theirs: {
        ...{ localAddress: THEIRS.link, neighbor: `${OURS.link}%eth0`, passive: true },
        extendedNextHop: true,
      },
      ourRoutes: ["10.1.0.0/26", "fd00:1::/122"],
      theirRoutes: ["10.2.0.0/26", "fd00:2::/122"],
    } as const;
    await stage.start(ends);
    const { routes } = await stage.untilWeHave(ends.theirRoutes);
    for (const { nextHop } of routes) assert.equal(nextHop, THEIRS.link);
    await stage.untilTheyHave(ends.ourRoutes);
    await stage.theirs.setRoutes([{ prefix: "10.2.0.0/26" }]);
    await stage.untilWeHave(["10.2.0.0/26"]);
  },
};
