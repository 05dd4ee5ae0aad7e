/** DelayOpen (RFC 4271 section 8.1.4) in whole sessions: who waits, for how long, and two dials at once. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { alone, openMessage, talk } from "./testing/scripted-peer.ts";
import { A, B, type NodeOptions, SECOND, World } from "./testing/simulated-world.ts";
import { encodeKeepalive } from "./wire/index.ts";

const delayed = (other: string, delayOpenSeconds: number, passive = false): NodeOptions => ({
  peers: { [other]: { delayOpenSeconds, passive } },
});

describe("an OPEN that is delayed", () => {
  it("comes when the time is over", async () => {
    const world = await alone(delayed(B, 5, true));
    const { received } = await talk(world, []);
    await world.advance(4 * SECOND);
    assert.deepEqual(received, []);
    assert.deepEqual(world.state(A), ["Active"]);
    await world.advance(2 * SECOND);
    assert.deepEqual(received, ["OPEN"]);
    assert.deepEqual(world.state(A), ["OpenSent"]);
  });

  it("comes at once when the peer's comes, and a session with it", async () => {
    const world = await alone(delayed(B, 60, true));
    const { received } = await talk(world, [openMessage(), encodeKeepalive()]);
    assert.deepEqual(received.slice(0, 2), ["OPEN", "KEEPALIVE"]);
    assert.deepEqual(world.state(A), ["Established"]);
  });

  it("is not sent to a peer that is wrong, which is told so", async () => {
    const world = await alone(delayed(B, 60, true));
    const { received, isClosed } = await talk(world, [openMessage({ as: 9 })]);
    assert.deepEqual(received, ["OPEN Message Error / Bad Peer AS"]);
    assert.equal(isClosed(), true);
  });

  it("that comes on a second connection does not take the session from the first", async () => {
    const world = await alone(delayed(B, 60, true));
    const first = await talk(world, [openMessage(), encodeKeepalive()]);
    await world.advance(10 * SECOND);
    const second = await talk(world, [openMessage(), encodeKeepalive()]);
    assert.deepEqual(second.received, ["Cease / Connection Collision Resolution"]);
    assert.deepEqual([first.isClosed(), second.isClosed()], [false, true]);
    assert.deepEqual(world.state(A), ["Established"]);
  });

  it("leaves no more than one silent connection of a peer open, as without", async () => {
    const world = await alone(delayed(B, 60, true));
    const peers = [];
    for (let i = 0; i < 50; i++) peers.push(await talk(world, []));
    assert.equal(peers.filter(({ isClosed }) => !isClosed()).length, 1);
    await talk(world, [openMessage(), encodeKeepalive()]);
    assert.deepEqual(world.state(A), ["Established"]);
  });

  it("of a dial that fails meanwhile is dialled again", async () => {
    const world = new World();
    await world.start(A, [B], delayed(B, 3));
    await world.start(B, [A], delayed(A, 60, true));
    await world.advance(SECOND);
    world.kill(B);
    await world.start(B, [A], delayed(A, 60, true));
    await world.advance(60 * SECOND);
    assert.deepEqual([...world.state(A), ...world.state(B)], ["Established", "Established"]);
  });
});

describe("two that dial each other, whoever delays", () => {
  it("end with one session that stays", async () => {
    const seconds = fc.constantFrom(0, 0, 1, 5, 30);
    await fc.assert(
      fc.asyncProperty(seconds, seconds, fc.nat(3000), async (one, two, apartMs) => {
        const world = new World();
        await world.start(A, [B], { originate: ["10.1.0.0/24"], ...delayed(B, one) });
        await world.advance(apartMs);
        await world.start(B, [A], { originate: ["10.2.0.0/24"], ...delayed(A, two) });
        await world.advance(120 * SECOND);
        const before = [A, B].map((name) => world.speakers.get(name)!.peers()[0]!);
        assert.deepEqual(
          before.map(({ state }) => state),
          ["Established", "Established"],
        );
        await world.advance(300 * SECOND);
        const after = [A, B].map((name) => world.speakers.get(name)!.peers()[0]!);
        assert.deepEqual(
          after.map(({ sinceMs }) => sinceMs),
          before.map(({ sinceMs }) => sinceMs),
        );
        assert.deepEqual(world.routes(A), ["10.2.0.0/24"]);
        for (const speaker of world.speakers.values()) await speaker.stop();
      }),
      { numRuns: 60 },
    );
  });
});
