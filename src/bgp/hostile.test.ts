/** Peers that are slow, half there, greedy or mad: what they do costs their own session and nothing else. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { FakeClock, ipv4 } from "../lib/index.ts";
import { type Log, silentLog } from "../lib/log/index.ts";
import { LocRib } from "./rib/index.ts";
import { testNumber } from "./rib/testing.ts";
import { RouteFeed } from "./route-feed.ts";
import { type Connection, PeerSession, SessionRecord } from "./session/index.ts";
import type { SessionHandlers } from "./session/peer-session.ts";
import { Slices } from "./slices.ts";
import { Speaker } from "./speaker.ts";
import { Strangers } from "./strangers.ts";
import { everything, playMadPeer } from "./testing/mad-peer.ts";
import { MemoryNetwork } from "./testing/memory-network.ts";
import { alone, announcement, openMessage, talk, withdrawal } from "./testing/scripted-peer.ts";
import { A, B, C, SECOND, World } from "./testing/simulated-world.ts";
import {
  AttributeTable,
  concatBytes,
  encodeEndOfRib,
  encodeKeepalive,
  encodeNotification,
  encodeRouteRefresh,
  hardReset,
  notification,
} from "./wire/index.ts";

const sequence = (...asns: number[]) => ({ kind: "sequence" as const, asns });
const lastError = (world: World) => world.speakers.get(A)!.peers()[0]!.lastError;

describe("a peer that sends byte after byte and never a message", () => {
  async function drip(world: World, connection: Connection, bytes: Uint8Array, forMs: number) {
    for (let at = 0; at * 15 < forMs; at++) {
      connection.write(bytes.subarray(at % bytes.length, (at % bytes.length) + 1));
      await world.advance(15);
    }
  }

  it("instead of an OPEN is given up after four minutes", async () => {
    const world = await alone();
    const { connection, isClosed } = await talk(world, []);
    const long = new Uint8Array(4096).fill(0xff);
    long.set([0x10, 0, 1], 16);
    connection.write(long.subarray(0, 19));
    await world.advance(230 * SECOND);
    await drip(world, connection, long.subarray(19), 12 * SECOND);
    assert.equal(isClosed(), true);
    assert.match(lastError(world), /^sent Hold Timer Expired/);
  });

  it("in a session is given up when the hold time is over", async () => {
    const world = await alone({ peers: { [B]: { holdTimeSeconds: 9 } } });
    const { connection } = await talk(world, [openMessage(), encodeKeepalive()]);
    const long = new Uint8Array(4096).fill(0xff);
    long.set([0x10, 0, 2], 16);
    await drip(world, connection, long, 8 * SECOND);
    assert.deepEqual(world.state(A), ["Established"]);
    await drip(world, connection, long.subarray(600), 2 * SECOND);
    assert.deepEqual(world.state(A), ["Active"]);
    assert.match(lastError(world), /^sent Hold Timer Expired/);
  });
});

describe("half-open connections", () => {
  for (const [what, messages] of [
    ["nothing", []],
    ["an OPEN", [openMessage()]],
  ] as const) {
    it(`a thousand from one peer, each with ${what}: one of them is kept`, async () => {
      const world = await alone();
      const peers = [];
      for (let i = 0; i < 1000; i++) peers.push(await talk(world, messages));
      assert.equal(peers.filter(({ isClosed }) => !isClosed()).length, 1);
      await talk(world, [openMessage(), encodeKeepalive()]);
      assert.deepEqual(world.state(A), ["Established"]);
    });
  }
});

describe("a peer that reads nothing", () => {
  it("has nothing waiting for it but what is so at last, and costs the others nothing", async () => {
    const world = new World();
    const prefixes = Array.from({ length: 300 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
    const config = (round: number) => {
      const { originate, ...rest } = world.config(A, [B, C], { originate: prefixes });
      // Each with attributes of its own: a message each, if all were told.
      return {
        ...rest,
        originate: originate.map((each, i) => ({ ...each, med: 5000 * round + i })),
      };
    };
    const ours = await world.startConfig(A, config(0));
    for (const name of [B, C]) await world.start(name, [A]);
    await world.advance(SECOND);
    world.network.block(ipv4(B));
    for (let round = 1; round <= 40; round++) {
      ours.configure(config(round));
      await world.advance(SECOND);
    }
    const held = world.network.heldWrites(ipv4(B));
    assert.ok(held < 700, `${held} messages wait, of 12,000`);
    const told = (name: string) =>
      world.speakers
        .get(name)!
        .routes()
        .map(({ med = 0 }) => med);
    assert.ok(Math.min(...told(C)) >= 200_000);
    assert.ok(Math.max(...told(B)) < 200_000);
    world.network.unblock(ipv4(B));
    await world.advance(10 * SECOND);
    assert.deepEqual(told(B).sort(), told(C).sort());
    assert.deepEqual(world.state(A), ["Established", "Established"]);
  });
});

describe("more prefixes than are allowed", () => {
  it("end the session with the limit; as many as are allowed do not", async () => {
    const world = await alone({ peers: { [B]: { maximumPrefixes: 2 } } });
    const { connection, received } = await talk(world, [
      openMessage(),
      encodeKeepalive(),
      announcement(["10.9.1.0/24", "10.9.2.0/24"]),
      announcement(["10.9.1.0/24"], { med: 5 }),
    ]);
    assert.deepEqual(world.routes(A), ["10.9.1.0/24", "10.9.2.0/24"]);
    connection.write(announcement(["10.9.3.0/24"]));
    await world.advance(100);
    assert.equal(received.at(-1), "Cease / Maximum Number of Prefixes Reached");
    assert.match(lastError(world), /more than 2 prefixes of ipv4-unicast$/);
    assert.deepEqual(world.routes(A), []);
  });
});

describe("our own routes told back to us", () => {
  it("do not end the session by the limit of prefixes, and no more than the limit of them is kept", async () => {
    const limit = { maximumPrefixes: 2, remoteAs: 65001 };
    const world = await alone({ peers: { [B]: limit } });
    const [theirs, looped] = [{ asPath: [sequence(65001)] }, { asPath: [sequence(65001, 64512)] }];
    const { connection, received } = await talk(world, [
      openMessage({ as: 65001 }),
      encodeKeepalive(),
      announcement(["10.9.1.0/24", "10.9.2.0/24"], theirs),
      announcement(["10.1.1.0/24", "10.1.2.0/24", "10.1.3.0/24"], looped),
    ]);
    assert.deepEqual(world.state(A), ["Established"]);
    assert.deepEqual(world.routes(A), ["10.9.1.0/24", "10.9.2.0/24"]);
    const count = () => world.speakers.get(A)!.peers()[0]!.routesReceived;
    assert.equal(count(), 4);
    // One of theirs comes back to us instead, and makes room for another.
    connection.write(announcement(["10.9.1.0/24"], looped));
    connection.write(announcement(["10.9.3.0/24"], theirs));
    await world.advance(100);
    assert.deepEqual(world.routes(A), ["10.9.2.0/24", "10.9.3.0/24"]);
    connection.write(withdrawal(["10.1.1.0/24"]));
    connection.write(announcement(["10.1.3.0/24"], theirs));
    await world.advance(100);
    assert.equal(received.at(-1), "Cease / Maximum Number of Prefixes Reached");
  });
});

/** A session without a speaker, to whose peer the routes are told in one piece. */
async function sessionTold(
  routes: readonly string[],
  handlers: Pick<SessionHandlers, "onUpdate"> & Partial<SessionHandlers>,
  clock = new FakeClock(),
): Promise<PeerSession> {
  const network = new MemoryNetwork(clock);
  const session = new PeerSession({
    clock,
    transport: network.transport(ipv4(A)),
    table: new AttributeTable(),
    parameters: {
      ...{ address: ipv4(B), port: 179, passive: true, ttl: 255, allowedLocalAs: 0 },
      ...{ localAs: 64512, remoteAs: 64512, routerId: ipv4(A), clusterId: ipv4(A) },
      ...{ restartTimeSeconds: 0, holdTimeSeconds: 90, connectRetrySeconds: 5 },
      ...{ families: ["ipv4-unicast"], extendedNextHop: false, strictRole: false },
    },
    record: new SessionRecord(clock, 0),
    restarted: () => false,
    handlers: {
      onEstablished: () => undefined,
      onDown: () => undefined,
      onRouteRefresh: () => undefined,
      onDrain: () => undefined,
      onStatus: () => undefined,
      congested: () => false,
      ...handlers,
    },
  });
  await network
    .transport(ipv4(A))
    .listen({ port: 179, passwords: new Map() }, (connection) => session.accept(connection));
  session.start();
  const told = routes.map((route) => announcement([route]));
  const connection = network.transport(ipv4(B)).dial(
    { address: ipv4(A), port: 179 },
    {
      onConnect: () => connection.write(concatBytes([openMessage(), encodeKeepalive(), ...told])),
      onData: () => undefined,
      onDrain: () => undefined,
      onClose: () => undefined,
    },
  );
  await clock.advance(SECOND);
  return session;
}

describe("an error nobody thought of", () => {
  it("ends the session, not the process", async () => {
    const refused: string[] = [];
    const session = await sessionTold(["10.0.0.0/8"], {
      onDown: ({ reason }) => void refused.push(reason),
      onUpdate: () => {
        throw new TypeError("a mistake of ours");
      },
    });
    assert.deepEqual(refused, ["sent Cease / Out of Resources: a mistake of ours"]);
    assert.equal(session.state, "Active");
  });
});

describe("a peer that sends faster than routes are handed on", () => {
  for (const [congested, turns] of [
    [false, 1],
    [true, 3],
  ] as const) {
    it(`is read in ${turns} turns when what waits is ${congested ? "much" : "little"}`, async () => {
      const clock = new FakeClock();
      let turn = 0;
      const seen: number[] = [];
      const handlers = {
        onUpdate: () => void seen.push(turn),
        congested: () => {
          clock.schedule(0, () => turn++);
          return congested;
        },
      };
      await sessionTold(["10.0.0.0/8", "11.0.0.0/8", "12.0.0.0/8"], handlers, clock);
      assert.equal(seen.length, 3);
      assert.equal(new Set(seen).size, turns);
    });
  }

  it("makes only so many changes wait", async () => {
    const clock = new FakeClock();
    const slices = new Slices(clock);
    const feed = new RouteFeed({
      ...{ slices, rib: new LocRib() },
      ...{ onChanged: () => undefined, onOtherChanged: () => undefined },
    });
    for (let i = 0; i < 7999; i++) feed.changed(testNumber(i * 64 + 32));
    assert.equal(feed.congested, false);
    feed.changed(testNumber(7999 * 64 + 32));
    assert.equal(feed.congested, true);
    await clock.advance(1);
    assert.deepEqual([feed.congested, feed.idle], [false, true]);
  });
});

describe("what is kept of a peer is bounded", () => {
  it("attribute sets not at all where their key is too long to be found quickly", () => {
    const table = new AttributeTable();
    const attributes = { origin: "igp", asPath: [], nextHop: ipv4(B) } as const;
    assert.equal(table.add("x".repeat(17_000), attributes), attributes);
    assert.equal(table.size, 0);
  });

  it("lines about sessions that begin and end: thirty a minute, then how many there were", async () => {
    const world = new World();
    const lines: { words: string; linesLeftOut?: number }[] = [];
    const write = (fields: object, words: string) => void lines.push({ ...fields, words });
    const log = { ...silentLog, info: write, warn: write, child: () => log } as unknown as Log;
    const config = world.config(A, [B], { peers: { [B]: { passive: true } } });
    const { clock, bfd: bfdTransport } = world;
    const transport = world.network.transport(ipv4(A));
    const speaker = new Speaker({ clock, log, config, transport, bfdTransport });
    world.speakers.set(A, speaker);
    await speaker.start();
    const flap = async () => {
      const { connection } = await talk(world, [openMessage(), encodeKeepalive()]);
      connection.destroy();
      await world.advance(100);
    };
    for (let i = 0; i < 100; i++) await flap();
    assert.equal(lines.length, 30);
    assert.equal(speaker.details(B)[0]!.established, 100, "what is counted is all");
    await world.advance(60 * SECOND);
    await flap();
    assert.deepEqual(
      lines.slice(30).map(({ words, linesLeftOut }) => [words, linesLeftOut]),
      [
        ["session established", 170],
        ["session ended", undefined],
      ],
    );
    await speaker.stop();
  });

  it("words about strangers: ten a second to them, a line in ten seconds to the log", async () => {
    const clock = new FakeClock();
    const lines: object[] = [];
    const log = { ...silentLog, warn: (fields: object) => void lines.push(fields) } as Log;
    const strangers = new Strangers({ clock, log, transport: {} });
    let told = 0;
    let destroyed = 0;
    const connection = {
      remoteAddress: ipv4("192.0.2.66"),
      write: () => {
        told++;
        return true;
      },
      end: () => undefined,
      destroy: () => void destroyed++,
    } as unknown as Connection;
    for (let second = 0; second < 21; second++) {
      for (let i = 0; i < 500; i++) strangers.refuse(connection);
      await clock.advance(SECOND);
    }
    assert.deepEqual([told, destroyed], [210, 21 * 490]);
    assert.deepEqual(
      lines.map((line) => (line as { connections: number }).connections),
      [1, 5000, 5000],
    );
  });
});

/** Messages as a peer may send them, whole, damaged, cut and made up. */
const message = fc.oneof(
  fc.constantFrom(
    openMessage(),
    openMessage({ as: 65000 }),
    openMessage({ hold: 3 }),
    openMessage({ capabilities: everything }),
    encodeEndOfRib("ipv4-unicast"),
    withdrawal(["10.9.1.0/24", "10.9.5.0/24"]),
    encodeNotification(notification("otherConfigurationChange")),
    encodeNotification(hardReset(notification("peerDeconfigured"))),
    encodeKeepalive(),
    announcement(["10.9.1.0/24", "10.9.2.0/24"]),
    announcement(["10.9.1.0/24"], { communities: [1, 2], med: 7, localPref: 9 }),
    encodeRouteRefresh({ afi: 1, safi: 1, subtype: "request" }),
    encodeRouteRefresh({ afi: 1, safi: 1, subtype: "begin" }),
    encodeRouteRefresh({ afi: 2, safi: 1, subtype: "end" }),
    encodeNotification(notification("administrativeShutdown", Uint8Array.of(9, 1))),
  ),
  fc.uint8Array({ maxLength: 60 }),
);
const damage = fc.record({ at: fc.nat(80), value: fc.nat(255), cut: fc.nat(400) });
const step = fc.record({
  message,
  damage: fc.option(damage, { freq: 3 }),
  thenMs: fc.constantFrom(0, 0, 1, 20, 1000, 20_000),
  again: fc.boolean(),
});

function spoiled(bytes: Uint8Array, how: { at: number; value: number; cut: number } | null) {
  if (how === null) return bytes;
  const copy = bytes.slice(0, how.cut);
  if (how.at < copy.length) copy[how.at] = how.value;
  return copy;
}

const RUNS = Number(process.env.SWITCHYARD_FUZZ_RUNS ?? 300);

describe("whole sessions with a peer out of its mind", () => {
  it("never disturb another peer's session, and a good session is had afterwards", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 25 }),
        fc.constantFrom("none" as const, "good" as const, "able" as const),
        (steps, begin) =>
          playMadPeer(
            steps.map(({ message: bytes, damage: how, thenMs, again }) => ({
              bytes: spoiled(bytes, how),
              ...{ thenMs, again },
            })),
            begin,
          ),
      ),
      { numRuns: RUNS },
    );
  });
});
