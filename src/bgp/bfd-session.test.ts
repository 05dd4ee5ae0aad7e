/** BGP sessions whose path is watched by BFD: what a dead path ends, and what it leaves alone. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ipAddress } from "../lib/index.ts";
import { decodeBfd, encodeBfd } from "./bfd/packet.ts";
import { A, B, type NodeOptions, SECOND, World } from "./testing/simulated-world.ts";

const bfd = { minimumTransmitMs: 100, minimumReceiveMs: 100 };

async function watchedPair(a: NodeOptions = {}, b: NodeOptions = {}): Promise<World> {
  const world = new World();
  const both = (other: string) => ({ [other]: { bfd } });
  await world.start(A, [B], { originate: ["10.1.0.0/26"], peers: both(B), ...a });
  await world.start(B, [A], { originate: ["10.2.0.0/26"], peers: both(A), ...b });
  await world.advance(5 * SECOND);
  return world;
}

const status = (world: World, address: string) => world.speakers.get(address)!.peers()[0]!;

function cut(world: World): void {
  world.silence(A);
  world.bfd.cut.add(`${A}>${B}`);
  world.bfd.cut.add(`${B}>${A}`);
}

describe("a BGP session with BFD", () => {
  it("comes up, and its path with it", async () => {
    const world = await watchedPair();
    for (const address of [A, B]) {
      assert.equal(status(world, address).state, "Established");
      assert.equal(status(world, address).bfd?.state, "Up");
    }
  });

  it("ends within the detection time when the path is dead, and its routes with it", async () => {
    const world = await watchedPair();
    cut(world);
    await world.advance(400);
    for (const address of [A, B]) {
      assert.match(status(world, address).lastError, /BFD Down: BFD heard nothing for 300 ms/);
      assert.notEqual(status(world, address).state, "Established");
      // Graceful restart was agreed on, but the peer does not restart: it cannot be reached.
      assert.equal(status(world, address).gracefulRestart, false);
      assert.deepEqual(world.routes(address), []);
    }
    world.bfd.cut.clear();
    await world.advance(60 * SECOND);
    assert.equal(status(world, A).state, "Established");
    assert.equal(status(world, A).bfd?.state, "Up");
    assert.deepEqual(world.routes(A), ["10.2.0.0/26"]);
  });

  it("tells a peer that can hear it why: Cease / BFD Down, as a hard reset (RFC 9384, RFC 8538)", async () => {
    const world = await watchedPair();
    // Only BFD is cut: the other end hears the NOTIFICATION first.
    world.bfd.cut.add(`${B}>${A}`);
    await world.advance(350);
    assert.match(status(world, B).lastError, /BFD Down/);
    assert.deepEqual(world.routes(B), []);
  });

  it("without BFD on the peer is a session as any other", async () => {
    const world = await watchedPair({}, { peers: {} });
    await world.advance(100 * SECOND);
    assert.equal(status(world, A).state, "Established");
    assert.equal(status(world, A).bfd?.state, "Down");
    assert.equal(status(world, B).bfd, undefined);
    assert.equal(status(world, A).lastError, "");
  });

  it("stays when BFD is switched off, on again, and changed at one end", async () => {
    const world = await watchedPair();
    const before = [A, B].map((address) => status(world, address));
    for (const change of [
      undefined,
      bfd,
      { ...bfd, detectMultiplier: 9, minimumTransmitMs: 500 },
    ]) {
      const peers = change ? { [B]: { bfd: change } } : {};
      const config = world.config(A, [B], { originate: ["10.1.0.0/26"], peers });
      world.speakers.get(A)!.configure(config);
      await world.advance(5 * SECOND);
      assert.equal(status(world, A).bfd?.state, change && "Up");
    }
    for (const { lastError, sinceMs, name } of before) {
      const now = status(world, name === B ? A : B);
      assert.deepEqual([now.lastError, now.sinceMs], [lastError, sinceMs]);
    }
  });

  it("leaves nothing behind when its peer is removed and when the speaker stops", async () => {
    const world = await watchedPair();
    world.speakers.get(A)!.configure(world.config(A, [], {}));
    await world.advance(5 * SECOND);
    assert.equal(world.bfd.listening, 1);
    await world.speakers.get(B)!.stop();
    assert.equal(world.bfd.listening, 0);
    const sent = world.bfd.sent.length;
    await world.advance(60 * SECOND);
    assert.equal(world.bfd.sent.length, sent);
  });
});

describe("a peer that restarts, with BFD", () => {
  it("orderly says so, and its routes are kept", async () => {
    const world = await watchedPair();
    world.kill(B);
    await world.advance(10 * SECOND);
    assert.equal(status(world, A).gracefulRestart, true);
    assert.deepEqual(world.routes(A), ["10.2.0.0/26 stale"]);
  });

  /** As BIRD and FRR do at a reset: BFD is begun anew with the session, and may be read first. */
  async function beginsBfdAnew(world: World) {
    const last = world.bfd.sent.findLast(({ from }) => from === B)!;
    const decoded = decodeBfd(last.bytes);
    assert.ok(decoded.kind === "packet");
    const anew = { ...decoded.packet, state: "Down" as const, myDiscriminator: 4711 };
    world.bfd.cut.add(`${B}>${A}`);
    world.bfd.deliver(encodeBfd({ ...anew, yourDiscriminator: 0 }), ipAddress(B), ipAddress(A));
    await world.advance(20);
  }

  it("by a reset that its BFD is read before is told of as what it said", async () => {
    const world = await watchedPair();
    await beginsBfdAnew(world);
    assert.equal(status(world, A).state, "Established");
    await world.speakers.get(B)!.stop({ notify: true, message: "begin anew" });
    await world.advance(100);
    assert.match(status(world, A).lastError, /^received Cease .*"begin anew"$/);
  });

  it("that says no more than its BFD does has lost the path, unless it has come back since", async () => {
    const lost = await watchedPair();
    await beginsBfdAnew(lost);
    await lost.advance(100);
    assert.match(status(lost, A).lastError, /BFD Down: the peer's BFD does not hear us$/);
    const back = await watchedPair();
    await beginsBfdAnew(back);
    back.kill(B);
    await back.start(B, [A], { peers: { [A]: { bfd: {} } } });
    await back.advance(15);
    const { state, sinceMs } = status(back, A);
    await back.advance(300);
    assert.equal(state, "Established");
    assert.deepEqual([status(back, A).state, status(back, A).sinceMs], [state, sinceMs]);
  });

  /** As kill -9: TCP ends at once, BFD falls silent. */
  async function crash(independent: boolean): Promise<World> {
    const world = await watchedPair();
    if (independent) {
      const last = world.bfd.sent.findLast(({ from }) => from === B)!;
      const decoded = decodeBfd(last.bytes);
      assert.ok(decoded.kind === "packet");
      const packet = { ...decoded.packet, controlPlaneIndependent: true };
      world.bfd.deliver(encodeBfd(packet), ipAddress(B), ipAddress(A));
    }
    world.bfd.cut.add(`${B}>${A}`);
    world.kill(B);
    await world.advance(10);
    assert.deepEqual(world.routes(A), ["10.2.0.0/26 stale"]);
    await world.advance(SECOND);
    assert.equal(status(world, A).bfd?.state, "Down");
    return world;
  }

  it("and takes its BFD with it keeps its routes (RFC 5882 section 4.3.2)", async () => {
    const world = await crash(false);
    assert.equal(status(world, A).gracefulRestart, true);
    assert.deepEqual(world.routes(A), ["10.2.0.0/26 stale"]);
  });

  it("but whose BFD lives apart from it has lost its forwarding too (section 4.3.1)", async () => {
    const world = await crash(true);
    assert.equal(status(world, A).gracefulRestart, false);
    assert.deepEqual(world.routes(A), []);
  });
});
