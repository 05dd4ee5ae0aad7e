/** A process that runs out of memory loses the peer that takes the most of it, and nothing else. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock, ipv4 } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import { type GuardedPeer, MemoryGuard, type MemoryUse } from "./memory-guard.ts";
import { Speaker } from "./speaker.ts";
import { announcement, openMessage, restartCapability, talk } from "./testing/scripted-peer.ts";
import { A, B, C, SECOND, World } from "./testing/simulated-world.ts";
import { encodeKeepalive } from "./wire/index.ts";

/** What is in use is told by hand, in percent. */
function told() {
  let listener: ((use: MemoryUse) => void) | undefined;
  return {
    memory: {
      watch: (wanted: (use: MemoryUse) => void) => {
        listener = wanted;
        return () => {
          listener = undefined;
        };
      },
    },
    use: (percent: number) => listener?.({ usedBytes: percent * 1000, limitBytes: 100_000 }),
    watched: () => listener !== undefined,
  };
}

function guarded(held: Record<string, number>) {
  const clock = new FakeClock();
  const { memory, use } = told();
  const gone: string[] = [];
  const peers = Object.keys(held).map(
    (name): GuardedPeer => ({
      config: { name },
      heldBytes: () => held[name]!,
      giveWay: () => void gone.push(name),
    }),
  );
  new MemoryGuard({ clock, log: silentLog, memory, peers: () => peers }).start();
  return { clock, use, gone, held };
}

describe("memory in use", () => {
  it("below the half ends nothing, from there on the peer that holds the most", () => {
    const { use, gone } = guarded({ a: 9000, b: 30_000, c: 8000 });
    use(49);
    assert.deepEqual(gone, []);
    use(50);
    assert.deepEqual(gone, ["b"]);
  });

  it("has time to be collected before the next goes, unless it is nearly all", async () => {
    const { clock, use, gone, held } = guarded({ a: 20_000, b: 30_000, c: 10_000 });
    use(60);
    await clock.advance(60 * SECOND);
    use(60);
    assert.deepEqual(gone, ["b"], "its routes are going");
    held.b = 0;
    await clock.advance(5 * SECOND);
    use(60);
    assert.deepEqual(gone, ["b"]);
    await clock.advance(6 * SECOND);
    use(60);
    assert.deepEqual(gone, ["b", "a"]);
    held.a = 500;
    use(85);
    assert.deepEqual(gone, ["b", "a", "c"]);
  });

  it("that is not for routes ends no session", () => {
    const { use, gone } = guarded({ a: 5000, b: 3000 });
    use(90);
    assert.deepEqual(gone, []);
  });
});

describe("a speaker without room", () => {
  for (const [what, capabilities] of [
    ["that does not restart gracefully", []],
    ["whose routes were to be kept", [{ ...restartCapability(true), notification: true }]],
  ] as const) {
    it(`ends the session of the peer ${what}, drops its routes, and takes it back a minute later`, async () => {
      const world = new World();
      const { memory, use, watched } = told();
      const config = world.config(A, [B, C], { peers: { [B]: { passive: true } } });
      const { clock, bfd: bfdTransport } = world;
      const transport = world.network.transport(ipv4(A));
      const speaker = new Speaker({
        ...{ clock, log: silentLog, config, transport, bfdTransport, memory },
      });
      world.speakers.set(A, speaker);
      await speaker.start();
      await world.start(C, [A], { originate: ["10.3.0.0/24"] });
      const four = { kind: "multiprotocol", afi: 1, safi: 1 } as const;
      const hello = [openMessage({ capabilities: [four, ...capabilities] }), encodeKeepalive()];
      const routes = Array.from(
        { length: 300 },
        (_, i) => `10.9.${i & 255}.${i & 256 ? 128 : 0}/25`,
      );
      const peer = await talk(world, [...hello, announcement(routes)]);
      await world.advance(SECOND);
      assert.equal(speaker.routes().length, 301);
      use(70);
      await world.advance(SECOND);
      assert.equal(peer.isClosed(), true);
      assert.match(peer.received.at(-1)!, /^Cease \/ Out of Resources/);
      assert.deepEqual(world.routes(A), ["10.3.0.0/24"]);
      assert.deepEqual(world.state(A), ["Idle", "Established"]);
      assert.match(speaker.peers()[0]!.lastError, /Out of Resources: 0 MB of memory in use, of 0/);
      await world.advance(50 * SECOND);
      assert.equal((await talk(world, hello)).isClosed(), true, "too early");
      await world.advance(10 * SECOND);
      await talk(world, hello);
      assert.deepEqual(world.state(A), ["Established", "Established"]);
      await speaker.stop();
      assert.equal(watched(), false);
    });
  }
});
