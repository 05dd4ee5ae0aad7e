/** BFD (RFC 5880, RFC 5881): a path that goes silent ends the session long before the hold time. */

import { RESTART_SECONDS, type Scenario } from "../../scenario.ts";

const [ours, theirs] = [["10.1.0.0/26"], ["10.2.0.0/26"]];
const bfd = { intervalMs: 200, multiplier: 3 };

export const scenario: Scenario = {
  title: "a dead path ends the session within a second, and both come back",
  needs: ["bfd"],
  variants: { "over IPv4": {}, "over IPv6": { over: 6 } },
  async run(stage, ends) {
    const routes =
      ends.over === 6
        ? { ourRoutes: ["fd01::/64"], theirRoutes: ["fd02::/64"] }
        : { ourRoutes: ours, theirRoutes: theirs };
    await stage.start({
      ...ends,
      ...routes,
      ours: { bfd: { minimumTransmitMs: 200, minimumReceiveMs: 200 } },
      // Graceful restart is agreed on, and yet no route is kept: the peer does not restart.
      theirs: { bfd, restartSeconds: RESTART_SECONDS },
    });
    const up = () =>
      stage.untilOurs("the path is Up", ({ peers: [peer] }) => {
        return peer?.state === "Established" && peer.bfd?.state === "Up";
      });
    await up();
    await stage.untilWeHave(routes.theirRoutes);
    await stage.lab.setLink(false);
    const dead = /BFD Down: BFD heard nothing for 600 ms/;
    await stage.untilOurs(
      "the path is Down",
      ({ peers: [peer] }) =>
        peer?.state !== "Established" && stage.ours.errors.some((each) => dead.test(each)),
      { deadlineMs: 10_000 },
    );
    await stage.untilOurs("their routes are gone", (report) => report.routes.length === 0);
    await stage.untilTheySay("their session is gone", ({ established }) => !established);
    await stage.lab.setLink(true);
    await up();
    await stage.untilWeHave(routes.theirRoutes);
    const before = stage.ours.errors.length;
    await stage.theirs.reset();
    // BIRD begins its BFD anew with its session: that packet may be read before the NOTIFICATION is.
    const reset = /Administrative (Reset|Shutdown)|the peer's BFD does not hear us/i;
    await stage.untilOurs("their reset", () => {
      return stage.ours.errors.slice(before).some((each) => reset.test(each));
    });
    await up();
  },
};
