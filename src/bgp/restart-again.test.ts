/** What is kept for a peer that goes again before it has told everything, in each of the ways that RFCs name. */

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
  type Capability,
  encodeEndOfRib,
  encodeKeepalive,
  encodeRouteRefresh,
  type GracefulRestartCapability,
} from "./wire/index.ts";

const endOfRib = encodeEndOfRib("ipv4-unicast");
const routes = ["10.9.1.0/24", "10.9.2.0/24"];
const [first] = routes as [string, string];
const stale = routes.map((route) => `${route} stale`);

function hello(
  restart: Partial<GracefulRestartCapability> = {},
  more: readonly Capability[] = [],
): Uint8Array[] {
  const capabilities = [multiprotocol, { ...restartCapability(true), ...restart }, ...more];
  return [openMessage({ capabilities }), encodeKeepalive()];
}

const longLived: Capability = {
  kind: "long-lived-graceful-restart",
  families: [{ afi: 1, safi: 1, forwarding: true, staleTimeSeconds: 300 }],
};

describe("a peer that goes again before End-of-RIB", () => {
  /** What is left of two routes of which it told one again in between. */
  async function twice(notification: boolean) {
    const world = await alone();
    const opening = hello({ notification });
    const one = await talk(world, [...opening, announcement(routes), endOfRib]);
    one.connection.destroy();
    await world.advance(SECOND);
    const two = await talk(world, [...opening, announcement([first])]);
    two.connection.destroy();
    await world.advance(SECOND);
    return { world, opening };
  }

  it("has lost what it did not tell again, by RFC 4724 section 4.2", async () => {
    const { world } = await twice(false);
    assert.deepEqual(world.routes(A), [`${first} stale`]);
  });

  it("has not, by RFC 8538 section 4.1, where both know that", async () => {
    const { world, opening } = await twice(true);
    assert.deepEqual(world.routes(A), stale);
    await talk(world, [...opening, announcement([first]), endOfRib]);
    assert.deepEqual(world.routes(A), [first]);
  });

  it("and again, keeps what it does not tell for a bounded time all the same", async () => {
    const { world, opening } = await twice(true);
    const tellings: number[] = [];
    for (let minute = 1; minute <= 9; minute++) {
      const again = await talk(world, [...opening, announcement([first])]);
      again.connection.destroy();
      await world.advance(59 * SECOND);
      tellings.push(world.routes(A).length);
    }
    // 60 s of restart time and 360 s of telling.
    assert.deepEqual(tellings, [2, 2, 2, 2, 2, 2, 2, 1, 1]);
    assert.deepEqual(world.routes(A), [`${first} stale`]);
  });
});

describe("what is swept", () => {
  it("is what was left over then, not what is by the next restart", async () => {
    const world = await alone();
    const one = await talk(world, [...hello(), announcement(routes), endOfRib]);
    one.connection.destroy();
    await world.advance(SECOND);
    const two = await talk(world, [...hello(), announcement([first])]);
    two.connection.write(endOfRib);
    two.connection.destroy();
    await world.advance(SECOND);
    assert.deepEqual(world.routes(A), [`${first} stale`]);
  });

  it("nor by a refresh that begins at once", async () => {
    const world = await alone();
    const enhanced: Capability[] = [{ kind: "route-refresh" }, { kind: "enhanced-route-refresh" }];
    const one = await talk(world, [...hello({}, enhanced), announcement(routes), endOfRib]);
    one.connection.destroy();
    await world.advance(SECOND);
    const begin = encodeRouteRefresh({ afi: 1, safi: 1, subtype: "begin" });
    await talk(world, [...hello({}, enhanced), announcement([first]), endOfRib, begin]);
    assert.deepEqual(world.routes(A), [first]);
  });
});

it("what a refresh was to confirm is kept when the session ends in between", async () => {
  const world = await alone();
  const enhanced: Capability[] = [{ kind: "route-refresh" }, { kind: "enhanced-route-refresh" }];
  const begin = encodeRouteRefresh({ afi: 1, safi: 1, subtype: "begin" });
  const telling = [announcement(routes), endOfRib, begin, announcement([first])];
  const peer = await talk(world, [...hello({}, enhanced), ...telling]);
  peer.connection.destroy();
  await world.advance(SECOND);
  assert.deepEqual(world.routes(A), stale);
});

it("a peer has as long to tell everything again as it is given", async () => {
  const world = await alone();
  const config = world.config(A, [B], { peers: { [B]: { passive: true } } });
  const gracefulRestart = { restartTimeSeconds: 120, stalePathSeconds: 100 };
  world.speakers.get(A)!.configure({ ...config, gracefulRestart });
  const one = await talk(world, [...hello(), announcement(routes), endOfRib]);
  one.connection.destroy();
  await world.advance(SECOND);
  await talk(world, [...hello(), announcement([first])]);
  await world.advance(99 * SECOND);
  assert.equal(world.routes(A).length, 2);
  await world.advance(SECOND);
  assert.deepEqual(world.routes(A), [first]);
});

it("a session begun anew to take several paths loses none", async () => {
  const world = await alone();
  const peer = await talk(world, [...hello(), announcement(routes), endOfRib]);
  world.events.length = 0;
  const peers = { [B]: { passive: true, addPath: { receive: true } } };
  world.speakers.get(A)!.configure(world.config(A, [B], { peers }));
  await world.advance(SECOND);
  assert.equal(peer.isClosed(), true);
  assert.deepEqual(world.routes(A), stale);
  assert.deepEqual(world.events, []);
});

describe("long-lived restart", () => {
  it("is over for good when its time ends while the peer tells again (RFC 9494 section 4.2)", async () => {
    const world = await alone({ peers: { [B]: { longLivedRestart: { staleTimeSeconds: 0 } } } });
    const opening = hello({}, [longLived]);
    const one = await talk(world, [...opening, announcement(routes)]);
    one.connection.destroy();
    await world.advance(355 * SECOND);
    const two = await talk(world, [...opening, announcement([first])]);
    await world.advance(10 * SECOND);
    assert.deepEqual(world.routes(A), [first]);
    two.connection.destroy();
    await world.advance(SECOND);
    assert.deepEqual(world.routes(A), []);
  });
});
