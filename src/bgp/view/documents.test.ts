/** What is told of a route with several next hops, and of a peer that is away for long. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { ipv4, prefix } from "../../lib/index.ts";
import { announcement, multiprotocol, openMessage, talk } from "../testing/scripted-peer.ts";
import { A, B, SECOND, World } from "../testing/simulated-world.ts";
import { encodeKeepalive } from "../wire/index.ts";
import { peerDocument } from "./peer-document.ts";
import { routeDocument } from "./route-document.ts";

it("all next hops that are used together", () => {
  const route = {
    ...{ prefix: prefix("10.9.0.0/24"), nextHop: ipv4(A), asPath: [], origin: "igp" as const },
    ...{ communities: [], largeCommunities: [], extendedCommunities: [], clusterList: [] },
  };
  const told = (nextHops: { nextHops?: ReturnType<typeof ipv4>[] }) =>
    routeDocument({ ...route, ...nextHops }, { table: "best", peer: B }).nextHops;
  assert.deepEqual(told({ nextHops: [ipv4(A), ipv4(B)] }), [A, B]);
  assert.equal(told({}), undefined);
});

it("that a peer's routes are kept as a last resort", async () => {
  const world = new World();
  const longLivedRestart = { staleTimeSeconds: 0 };
  await world.start(A, [B], { peers: { [B]: { passive: true, longLivedRestart } } });
  const ipv4Unicast = { afi: 1, safi: 1, forwarding: true };
  const restart = { restarted: false, notification: false, restartTimeSeconds: 0 };
  const capabilities = [
    multiprotocol,
    { kind: "graceful-restart" as const, ...restart, families: [ipv4Unicast] },
    {
      kind: "long-lived-graceful-restart" as const,
      families: [{ ...ipv4Unicast, staleTimeSeconds: 100 }],
    },
  ];
  const told = [openMessage({ capabilities }), encodeKeepalive(), announcement(["10.9.0.0/24"])];
  const peer = await talk(world, told);
  const document = () => peerDocument(world.speakers.get(A)!.details(B)[0]!, undefined);
  assert.equal(document().keptForLonger, undefined);
  peer.connection.destroy();
  await world.advance(SECOND);
  assert.equal(document().keptForLonger, true);
});
