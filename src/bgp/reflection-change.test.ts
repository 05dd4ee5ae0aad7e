/** Reflection (RFC 4456) when peers change: what others are told follows what a peer is now. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatAddress, ipv4, prefix } from "../lib/index.ts";
import { A, B, C, SECOND, World } from "./testing/simulated-world.ts";

const route = "10.2.0.0/26";

describe("a peer that becomes a client", () => {
  async function change(before: boolean, after: boolean) {
    const world = new World();
    const peers = (routeReflectorClient: boolean) => ({ peers: { [B]: { routeReflectorClient } } });
    await world.start(A, [B, C], peers(before));
    await world.start(B, [A], { originate: [route] });
    await world.start(C, [A]);
    await world.advance(10 * SECOND);
    assert.deepEqual(world.routes(C), before ? [route] : []);
    world.speakers.get(A)!.configure(world.config(A, [B, C], peers(after)));
    await world.advance(30 * SECOND);
    return world;
  }

  it("has its routes reflected to others", async () => {
    const world = await change(false, true);
    assert.deepEqual(world.routes(C), [route]);
  });

  it("and that is none any more, not", async () => {
    const world = await change(true, false);
    assert.deepEqual(world.routes(C), []);
  });
});

it("a client that comes back with another identifier is the originator by that", async () => {
  const world = new World();
  await world.start(A, [B, C], { peers: { [B]: { routeReflectorClient: true } } });
  await world.start(B, [A], { originate: [route] });
  await world.start(C, [A]);
  await world.advance(10 * SECOND);
  const originator = () => {
    const { originatorId } = world.speakers.get(C)!.why(prefix(route)).paths[0]!.route;
    return originatorId && formatAddress(originatorId);
  };
  assert.equal(originator(), B);
  world.kill(B);
  await world.advance(SECOND);
  const config = world.config(B, [A], { originate: [route] });
  await world.startConfig(B, { ...config, routerId: ipv4("192.0.2.99") });
  await world.advance(10 * SECOND);
  assert.equal(originator(), "192.0.2.99");
});
