/** RFC 8538: a NOTIFICATION is a restart where both sides said so, unless it is a hard reset. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  alone,
  announcement,
  multiprotocol,
  openMessage,
  restartCapability,
  talk,
} from "./testing/scripted-peer.ts";
import { A, B, SECOND } from "./testing/simulated-world.ts";
import {
  encodeEndOfRib,
  encodeKeepalive,
  encodeNotification,
  hardReset,
  type Notification,
  notification,
} from "./wire/index.ts";

async function session(options: { readonly notification: boolean; readonly hold?: number }) {
  const { notification: bit, hold = 240 } = options;
  const world = await alone({ peers: { [B]: { maximumPrefixes: 2 } } });
  const restart = { ...restartCapability(true), notification: bit };
  const open = openMessage({ capabilities: [multiprotocol, restart], hold });
  const good = [open, encodeKeepalive(), announcement(["10.9.1.0/24"])];
  const peer = await talk(world, [...good, encodeEndOfRib("ipv4-unicast")]);
  assert.deepEqual(world.routes(A), ["10.9.1.0/24"]);
  return { world, peer, good };
}

const kept = ["10.9.1.0/24 stale"];

describe("a NOTIFICATION received", () => {
  const cease = notification("otherConfigurationChange");
  const rows: [bit: boolean, message: Notification, routes: string[]][] = [
    [true, cease, kept],
    [true, notification("holdTimerExpired"), kept],
    [true, notification("malformedAttributeList"), kept],
    [true, hardReset(cease), []],
    [false, cease, []],
    [false, notification("holdTimerExpired"), []],
    [false, notification("connectionCollision"), kept],
  ];
  for (const [bit, message, routes] of rows) {
    const { code, subcode } = message;
    it(`${code}/${subcode} ${bit ? "with" : "without"} the bit`, async () => {
      const { world, peer } = await session({ notification: bit });
      peer.connection.write(encodeNotification(message));
      await world.advance(100);
      assert.deepEqual(world.state(A), ["Active"]);
      assert.deepEqual(world.routes(A), routes);
      await world.advance(61 * SECOND);
      assert.deepEqual(world.routes(A), [], "and not for ever");
    });
  }
});

describe("a NOTIFICATION sent", () => {
  for (const [bit, routes] of [
    [true, kept],
    [false, []],
  ] as const) {
    it(`because the peer fell silent, ${bit ? "with" : "without"} the bit`, async () => {
      const { world, peer } = await session({ notification: bit, hold: 9 });
      await world.advance(10 * SECOND);
      assert.equal(peer.received.at(-1), "Hold Timer Expired");
      assert.deepEqual(world.routes(A), routes);
    });
  }

  it("that is meant to be final is a hard reset, and plain to a peer that knows none", async () => {
    for (const [bit, said] of [
      [true, "Cease / Hard Reset: Cease / Maximum Number of Prefixes Reached"],
      [false, "Cease / Maximum Number of Prefixes Reached"],
    ] as const) {
      const { world, peer } = await session({ notification: bit });
      peer.connection.write(announcement(["10.9.2.0/24", "10.9.3.0/24"]));
      await world.advance(100);
      assert.equal(peer.received.at(-1), said);
      assert.deepEqual(world.routes(A), []);
    }
  });

  it("before all was told again keeps what was not, too (RFC 8538 section 4.1)", async () => {
    const { world, peer, good } = await session({ notification: true });
    peer.connection.write(encodeNotification(notification("holdTimerExpired")));
    await world.advance(100);
    const again = await talk(world, good.slice(0, 2));
    assert.deepEqual(world.routes(A), kept);
    again.connection.write(encodeNotification(notification("holdTimerExpired")));
    await world.advance(100);
    assert.deepEqual(world.routes(A), kept);
  });
});

describe("a session with other parameters", () => {
  it("is begun without a word to a peer that would take a NOTIFICATION for the end", async () => {
    for (const bit of [true, false]) {
      const { world, peer, good } = await session({ notification: bit });
      const change = { passive: true, holdTimeSeconds: 30, maximumPrefixes: 2 };
      world.speakers.get(A)!.configure(world.config(A, [B], { peers: { [B]: change } }));
      await world.advance(100);
      assert.equal(peer.isClosed(), true);
      const last = bit ? "Cease / Other Configuration Change" : "End-of-RIB";
      assert.equal(peer.received.filter((word) => word !== "KEEPALIVE").at(-1), last);
      assert.deepEqual(world.routes(A), kept);
      await talk(world, [...good, encodeEndOfRib("ipv4-unicast")]);
      assert.deepEqual(world.routes(A), ["10.9.1.0/24"]);
      assert.equal(world.speakers.get(A)!.peers()[0]!.holdTimeSeconds, 30);
    }
  });
});
