/** Graceful restart (RFC 4724) of simulated speakers, both roles. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ipv4 } from "../lib/index.ts";
import {
  alone,
  announcement,
  multiprotocol,
  openMessage,
  restartCapability,
  talk,
} from "./testing/scripted-peer.ts";
import { A, B, C, pair, SECOND, World } from "./testing/simulated-world.ts";
import { decodeOpen, encodeEndOfRib, encodeKeepalive } from "./wire/index.ts";

const D = "10.0.0.4";

describe("graceful restart", () => {
  it("keeps the routes of a killed speaker and drops what it no longer has at End-of-RIB", async () => {
    const world = await pair();
    world.events.length = 0;
    world.kill(B);
    await world.advance(SECOND);
    assert.deepEqual(world.routes(A), ["10.2.0.0/26 stale", "10.2.1.0/24 stale"]);
    assert.equal(world.speakers.get(A)!.peers()[0]!.gracefulRestart, true);
    assert.equal(world.speakers.get(A)!.converged(), false);
    await world.start(B, [A], { originate: ["10.2.1.0/24"] });
    await world.advance(6 * SECOND);
    assert.deepEqual(world.routes(A), ["10.2.1.0/24"]);
    assert.deepEqual(
      world.events.filter((event) => event.startsWith(A)),
      [`${A} -10.2.0.0/26`],
    );
    assert.equal(world.speakers.get(A)!.converged(), true);
    assert.equal(world.speakers.get(B)!.converged(), true);
  });

  it("drops them when the restart time of the peer is over", async () => {
    const world = await pair({}, { restartTimeSeconds: 40 });
    world.kill(B);
    await world.advance(39 * SECOND);
    assert.equal(world.routes(A).length, 2);
    await world.advance(2 * SECOND);
    assert.deepEqual(world.routes(A), []);
    assert.equal(world.speakers.get(A)!.peers()[0]!.gracefulRestart, false);
  });

  it("drops them at once after a shutdown that was told", async () => {
    const world = await pair();
    await world.speakers.get(B)!.stop({ notify: true, message: "moving house" });
    await world.advance(100);
    assert.deepEqual(world.routes(A), []);
    const { lastError } = world.speakers.get(A)!.peers()[0]!;
    assert.equal(
      lastError,
      'received Cease / Hard Reset: Cease / Administrative Shutdown: "moving house"',
    );
  });

  it("keeps them after a stop that was not told", async () => {
    const world = await pair();
    await world.speakers.get(B)!.stop();
    await world.advance(100);
    assert.equal(world.routes(A).length, 2);
  });

  it("takes a new connection for the end of an old one that looks alive", async () => {
    // A does not dial, so that the new connection is B's.
    const world = await pair({ peers: { [B]: { passive: true } } });
    world.events.length = 0;
    world.network.silence(ipv4(B));
    world.kill(B);
    await world.advance(5 * SECOND);
    assert.deepEqual(world.state(A), ["Established"], "nothing was noticed");
    await world.start(B, [A], { originate: ["10.2.0.0/26", "10.2.1.0/24"] });
    await world.advance(2 * SECOND);
    assert.deepEqual(world.state(B), ["Established"], "no wait for the hold timer");
    assert.deepEqual(world.routes(A), ["10.2.0.0/26", "10.2.1.0/24"]);
    assert.deepEqual(
      world.events.filter((event) => event.startsWith(A)),
      [],
    );
  });

  it("drops the stale rest when the peer is killed again after it came back (RFC 4724 section 4.2)", async () => {
    const world = await pair();
    world.kill(B);
    await world.advance(SECOND);
    await world.start(B, [A], { originate: ["10.2.0.0/26"] });
    await world.advance(6 * SECOND);
    world.kill(B);
    await world.advance(SECOND);
    assert.deepEqual(world.routes(A), ["10.2.0.0/26 stale"]);
  });
});

describe("a restart inside the restart time", () => {
  for (const dialling of ["both sides", "only the one that restarts", "only the other"] as const) {
    it(`loses no route at any moment, however it comes, with ${dialling} dialling`, async () => {
      const moment = fc.oneof(fc.nat(20), fc.nat(2000), fc.nat(100_000));
      await fc.assert(
        fc.asyncProperty(fc.boolean(), moment, moment, async (silent, upMs, downMs) => {
          const a = { peers: { [B]: { passive: dialling === "only the one that restarts" } } };
          const b = {
            peers: { [A]: { passive: dialling === "only the other" } },
            originate: ["10.2.0.0/26", "10.2.1.0/24"],
          };
          const world = await pair(a, b);
          await world.advance(upMs);
          world.events.length = 0;
          if (silent) world.silence(B);
          world.kill(B);
          await world.advance(downMs);
          await world.start(B, [A], b);
          // What only waits to be dialled by a side that noticed nothing, waits for the hold timer.
          const unnoticed = silent && dialling === "only the other";
          await world.advance((unnoticed ? 300 : 30) * SECOND);
          assert.deepEqual(world.routes(A), ["10.2.0.0/26", "10.2.1.0/24"]);
          assert.deepEqual(world.routes(B), ["10.1.0.0/26"]);
          const lost = world.events.filter((event) => event.startsWith(`${A} -`));
          assert.deepEqual(lost, unnoticed ? lost : []);
        }),
        { numRuns: 100 },
      );
    });
  }
});

describe("selection deferral", () => {
  /** A and C talk through B, which relays; what A lost while B was away for a moment. */
  async function relayRestarts(selectionDeferralSeconds: number): Promise<string[]> {
    const world = new World();
    const relay = () => {
      const config = world.config(B, [A, C], {
        as: 2,
        peers: { [A]: { remoteAs: 1 }, [C]: { remoteAs: 3, passive: true } },
      });
      const gracefulRestart = { restartTimeSeconds: 120, selectionDeferralSeconds };
      return world.startConfig(B, { ...config, gracefulRestart });
    };
    await relay();
    await world.start(A, [B], { as: 1, peers: { [B]: { remoteAs: 2 } } });
    const originate = ["10.3.0.0/26"];
    await world.start(C, [B], { as: 3, originate, peers: { [B]: { remoteAs: 2 } } });
    await world.advance(10 * SECOND);
    assert.deepEqual(world.routes(A), ["10.3.0.0/26"]);
    world.events.length = 0;
    world.kill(B);
    // Long enough for C to wait seconds before its next attempt.
    await world.advance(20 * SECOND);
    await relay();
    await world.advance(60 * SECOND);
    assert.deepEqual(world.routes(A), ["10.3.0.0/26"]);
    return world.events.filter((event) => event.startsWith(`${A} -`));
  }

  it("keeps the routes a relay has not learned again yet", async () => {
    assert.deepEqual(await relayRestarts(30), []);
  });

  it("is what makes the difference", async () => {
    assert.deepEqual(await relayRestarts(0), [`${A} -10.3.0.0/26`]);
  });

  it("tells no route that was found first before the better one is known (RFC 4724 section 4.1)", async () => {
    const world = new World();
    const neighbours = [B, C, D];
    const peer = { passive: true, routeReflectorClient: true };
    const peers = Object.fromEntries(neighbours.map((each) => [each, peer]));
    const gracefulRestart = { restartTimeSeconds: 120, selectionDeferralSeconds: 60 };
    await world.startConfig(A, { ...world.config(A, neighbours, { peers }), gracefulRestart });
    const comes = (from: string, ...routes: Uint8Array[]) => {
      const capabilities = [multiprotocol, { ...restartCapability(true), restarted: false }];
      const opening = [openMessage({ id: ipv4(from), capabilities }), encodeKeepalive()];
      return talk(world, [...opening, ...routes, encodeEndOfRib("ipv4-unicast")], from);
    };
    const longer = { asPath: [{ kind: "sequence" as const, asns: [65001] }] };
    const told = await comes(D);
    await comes(B, announcement(["10.3.0.0/26"], longer));
    await world.advance(10 * SECOND);
    assert.deepEqual(world.routes(A), ["10.3.0.0/26"]);
    assert.deepEqual(told.received, ["OPEN", "KEEPALIVE"]);
    await comes(C, announcement(["10.3.0.0/26"]));
    assert.deepEqual(told.received.slice(2), ["UPDATE +1 -0", "End-of-RIB"]);
  });

  it("says that it restarted as long as it lasts, in the first session or a later one", async () => {
    const world = await alone();
    await world.speakers.get(A)!.stop();
    const config = world.config(A, [B], { peers: { [B]: { passive: true } } });
    const gracefulRestart = { restartTimeSeconds: 120, selectionDeferralSeconds: 30 };
    await world.startConfig(A, { ...config, gracefulRestart });
    const session = async () => {
      const capabilities = [multiprotocol, { ...restartCapability(true), restarted: false }];
      const peer = await talk(world, [openMessage({ capabilities }), encodeKeepalive()]);
      peer.connection.destroy();
      await world.advance(20 * SECOND);
    };
    for (let sessions = 0; sessions < 3; sessions++) await session();
    const told = world.speakers
      .get(A)!
      .messages(B)
      .flatMap(({ sent, bytes }) => {
        if (!sent || bytes[18] !== 1) return [];
        const restart = decodeOpen(bytes).capabilities.find(
          ({ kind }) => kind === "graceful-restart",
        );
        return restart?.kind === "graceful-restart" ? [restart.restarted] : [];
      });
    assert.deepEqual(told, [true, true, false]);
  });

  it("ends in time when a peer does not come", async () => {
    const world = new World();
    const config = world.config(A, [B, C], {});
    const gracefulRestart = { restartTimeSeconds: 120, selectionDeferralSeconds: 30 };
    await world.startConfig(A, { ...config, gracefulRestart });
    await world.start(B, [A]);
    await world.advance(29 * SECOND);
    assert.equal(world.speakers.get(B)!.peers()[0]!.endOfRib, false);
    await world.advance(2 * SECOND);
    assert.equal(world.speakers.get(B)!.peers()[0]!.endOfRib, true);
  });
});
