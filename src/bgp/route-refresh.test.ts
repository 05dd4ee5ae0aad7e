/** Route refresh, both sides, with and without the marks of RFC 7313. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ipv4 } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import { Speaker } from "./speaker.ts";
import {
  alone,
  announcement,
  multiprotocol,
  openMessage,
  restartCapability,
  talk,
} from "./testing/scripted-peer.ts";
import { A, B, SECOND, World } from "./testing/simulated-world.ts";
import {
  type Capability,
  encodeEndOfRib,
  encodeKeepalive,
  encodeRouteRefresh,
} from "./wire/index.ts";

const enhanced: readonly Capability[] = [
  multiprotocol,
  { kind: "route-refresh" },
  { kind: "enhanced-route-refresh" },
];
const ipv4Unicast = { afi: 1, safi: 1 };
const message = (subtype: "request" | "begin" | "end") =>
  encodeRouteRefresh({ ...ipv4Unicast, subtype });
const routes = ["10.9.1.0/24", "10.9.2.0/24"];

describe("route refresh asked of us", () => {
  const asked = async (capabilities: readonly Capability[]) => {
    const world = await alone({ originate: ["10.1.0.0/26"] });
    const peer = await talk(world, [openMessage({ capabilities }), encodeKeepalive()]);
    peer.received.length = 0;
    peer.connection.write(message("request"));
    await world.advance(100);
    return peer.received;
  };

  it("is answered with everything, between the marks of RFC 7313", async () => {
    assert.deepEqual(await asked(enhanced), ["REFRESH begin", "UPDATE +1 -0", "REFRESH end"]);
  });

  it("without marks for a peer that does not know them", async () => {
    assert.deepEqual(await asked([multiprotocol, { kind: "route-refresh" }]), ["UPDATE +1 -0"]);
  });

  it("of a family that is not carried is not answered", async () => {
    const world = await alone({ originate: ["10.1.0.0/26"] });
    const peer = await talk(world, [openMessage({ capabilities: enhanced }), encodeKeepalive()]);
    peer.received.length = 0;
    peer.connection.write(encodeRouteRefresh({ afi: 2, safi: 1, subtype: "request" }));
    await world.advance(100);
    assert.deepEqual(peer.received, []);
    assert.deepEqual(world.state(A), ["Established"]);
  });

  it("is not begun while End-of-RIB is held back (RFC 7313 section 4)", async () => {
    const world = await alone();
    await world.speakers.get(A)!.stop();
    await world.startConfig(A, {
      ...world.config(A, [B], { originate: ["10.1.0.0/26"], peers: { [B]: { passive: true } } }),
      gracefulRestart: { restartTimeSeconds: 120, selectionDeferralSeconds: 30 },
    });
    const capabilities = [...enhanced, { ...restartCapability(true), restarted: false }];
    const peer = await talk(world, [openMessage({ capabilities }), encodeKeepalive()]);
    peer.connection.write(message("request"));
    await world.advance(SECOND);
    assert.deepEqual(peer.received.slice(2), []);
    await world.advance(30 * SECOND);
    const marks = ["UPDATE +1 -0", "End-of-RIB", "REFRESH begin", "UPDATE +1 -0", "REFRESH end"];
    assert.deepEqual(peer.received.filter((word) => word !== "KEEPALIVE").slice(1), marks);
  });
});

async function session(capabilities: readonly Capability[]) {
  const world = await alone();
  const peer = await talk(world, [
    openMessage({ capabilities }),
    encodeKeepalive(),
    announcement(routes),
  ]);
  const say = async (...messages: Uint8Array[]) => {
    for (const each of messages) peer.connection.write(each);
    await world.advance(100);
    return world.routes(A);
  };
  return { world, say };
}

describe("route refresh told by the peer", () => {
  it("sweeps what was not told again", async () => {
    const { say } = await session(enhanced);
    assert.deepEqual(await say(message("begin"), announcement(routes.slice(1))), routes);
    assert.deepEqual(await say(message("end")), routes.slice(1));
  });

  it("that never ends sweeps when its time is over", async () => {
    const { world, say } = await session(enhanced);
    await say(message("begin"), announcement(routes.slice(1)));
    for (let minute = 0; minute < 7; minute++) {
      await world.advance(60 * SECOND);
      await say(encodeKeepalive());
    }
    assert.deepEqual(world.routes(A), routes.slice(1));
    assert.deepEqual(world.state(A), ["Established"]);
  });

  it("before End-of-RIB is not begun", async () => {
    const { say } = await session([...enhanced, restartCapability(true)]);
    assert.deepEqual(await say(message("begin")), routes);
    // Were they leftovers, they would go now.
    assert.deepEqual(await say(encodeEndOfRib("ipv4-unicast")), routes);
    assert.deepEqual(await say(message("begin"), message("end")), []);
  });

  it("by a peer that did not announce RFC 7313 is a request", async () => {
    const { say } = await session([multiprotocol, { kind: "route-refresh" }]);
    assert.deepEqual(await say(message("begin"), message("end")), routes);
  });

  it("of an unknown kind is ignored", async () => {
    const { say } = await session(enhanced);
    const strange = message("end");
    strange[21] = 77;
    assert.deepEqual(await say(message("begin"), strange), routes);
  });
});

it("a speaker that asks for a refresh sends the request", async () => {
  const world = await alone();
  const peer = await talk(world, [openMessage({ capabilities: enhanced }), encodeKeepalive()]);
  peer.received.length = 0;
  world.speakers.get(A)!.refresh(B);
  await world.advance(100);
  assert.deepEqual(peer.received, ["REFRESH request"]);
  assert.equal(world.speakers.get(A)!.peers()[0]!.address, ipv4(B));
});

describe("marks out of order", () => {
  it("begun twice, all waits to be told again, and nothing goes before the end", async () => {
    const { say } = await session(enhanced);
    assert.deepEqual(await say(message("begin"), announcement(routes.slice(1))), routes);
    assert.deepEqual(await say(message("begin")), routes);
    assert.deepEqual(await say(announcement(routes.slice(1)), message("end")), routes.slice(1));
  });

  it("an end of what was not begun takes nothing that waits for End-of-RIB", async () => {
    const { world, say } = await session([...enhanced, restartCapability(true)]);
    world.network.kill(ipv4(B));
    await world.advance(SECOND);
    const opening = openMessage({ capabilities: [...enhanced, restartCapability(true)] });
    const peer = await talk(world, [opening, encodeKeepalive(), message("begin"), message("end")]);
    assert.deepEqual(
      world.routes(A),
      routes.map((route) => `${route} stale`),
    );
    peer.connection.write(announcement(routes.slice(1)));
    peer.connection.write(encodeEndOfRib("ipv4-unicast"));
    await world.advance(100);
    assert.deepEqual(world.routes(A), routes.slice(1));
    assert.ok(say);
  });
});

it("what is ignored of a refresh stands in the log (RFC 7313 sections 4 and 5)", async () => {
  const told: string[] = [];
  const nothing = () => undefined;
  const log: object = {
    ...{ debug: nothing, info: nothing, child: () => log },
    warn: (_: unknown, text: string) => told.push(text),
  };
  const world = new World();
  const speaker = new Speaker({
    ...{ clock: world.clock, log: log as Log, bfdTransport: world.bfd },
    config: world.config(A, [B], { peers: { [B]: { passive: true } } }),
    transport: world.network.transport(ipv4(A)),
  });
  await speaker.start();
  const opening = openMessage({ capabilities: [...enhanced, restartCapability(true)] });
  const { connection } = await talk(world, [opening, encodeKeepalive(), message("begin")]);
  assert.deepEqual(told, ["ROUTE-REFRESH begun before End-of-RIB ignored"]);
  const strange = message("end");
  strange[21] = 77;
  await world.advance(11 * SECOND);
  connection.write(strange);
  await world.advance(100);
  assert.deepEqual(told.slice(1), ["ROUTE-REFRESH of an unknown subtype ignored"]);
  await speaker.stop();
});
