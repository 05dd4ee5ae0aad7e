/** Several paths to a prefix (RFC 7911) between speakers, and with a peer of exact words. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatAddress, ipv4, prefix } from "../lib/index.ts";
import { MAXIMUM_PATHS } from "./rib/index.ts";
import {
  alone,
  multiprotocol,
  openMessage,
  restartCapability,
  talk,
} from "./testing/scripted-peer.ts";
import { A, B, C, type NodeOptions, SECOND, World } from "./testing/simulated-world.ts";
import type { PeerConfig } from "./types.ts";
import {
  type Capability,
  encodeAnnounce,
  encodeAttributes,
  encodeEndOfRib,
  encodeKeepalive,
  encodeWithdraw,
  keyOfPrefix,
} from "./wire/index.ts";

const D = "10.0.0.4";
const shared = "10.9.0.0/24";
const client = { routeReflectorClient: true } as const;

/** A reflects between B and C, which originate one prefix, and D, which takes several paths. */
async function reflector(
  send: NonNullable<PeerConfig["addPath"]>["send"],
  atD: Partial<PeerConfig> = { addPath: { receive: true } },
) {
  const world = new World();
  const configure = (limit: typeof send): NodeOptions => ({
    peers: {
      [B]: client,
      [C]: client,
      [D]: { ...client, ...(limit === undefined ? {} : { addPath: { send: limit } }) },
    },
  });
  await world.start(A, [B, C, D], configure(send));
  await world.start(B, [A], { originate: [shared, "10.2.0.0/24"] });
  await world.start(C, [A], { originate: [shared] });
  await world.start(D, [A], { peers: { [A]: atD } });
  await world.advance(2 * SECOND);
  const again = (limit: typeof send) => {
    world.speakers.get(A)!.configure(world.config(A, [B, C, D], configure(limit)));
    return world.advance(SECOND);
  };
  return { world, again };
}

/** Next hop and identifier of each path, as the machine holds them. */
function paths(world: World, at: string, of = shared): string[] {
  return world.speakers
    .get(at)!
    .why(prefix(of))
    .paths.map(({ route }) => `${formatAddress(route.nextHop)}#${route.pathId ?? "-"}`)
    .sort();
}

describe("a reflector", () => {
  it("tells all paths to who takes them, and what becomes of each", async () => {
    const { world } = await reflector("all");
    assert.deepEqual(paths(world, D), [`${B}#1`, `${C}#2`]);
    assert.deepEqual(paths(world, D, "10.2.0.0/24"), [`${B}#1`]);
    assert.deepEqual(paths(world, C), [`${B}#-`], "who takes one is told the best");
    assert.deepEqual(paths(world, B), [], "and not its own");
    const details = world.speakers.get(A)!.details(D)[0]!;
    assert.equal(details.routesSent, 3);
    assert.ok(details.session?.capabilities.includes("several paths sent"));
    world.events.length = 0;
    world.speakers.get(C)!.configure(world.config(C, [A], {}));
    await world.advance(SECOND);
    assert.deepEqual(paths(world, D), [`${B}#1`]);
    world.speakers.get(C)!.configure(world.config(C, [A], { originate: [shared] }));
    await world.advance(SECOND);
    assert.deepEqual(paths(world, D), [`${B}#1`, `${C}#2`]);
    world.speakers.get(B)!.configure(world.config(B, [A], {}));
    await world.advance(SECOND);
    assert.deepEqual(paths(world, D), [`${C}#2`], "by the identifier it had");
    assert.deepEqual(world.routes(D), [shared]);
  });

  it("tells the best so many, changed without a new session", async () => {
    const { world, again } = await reflector(1);
    const since = world.speakers.get(D)!.peers()[0]!.sinceMs;
    assert.deepEqual(paths(world, D), [`${B}#1`]);
    await again(2);
    assert.deepEqual(paths(world, D), [`${B}#1`, `${C}#2`]);
    await again("all");
    assert.equal(paths(world, D).length, 2);
    await again(1);
    assert.deepEqual(paths(world, D), [`${B}#1`]);
    world.speakers.get(B)!.configure(world.config(B, [A], {}));
    await world.advance(SECOND);
    assert.deepEqual(paths(world, D), [`${C}#1`], "what is next best stands in for it");
    assert.equal(world.speakers.get(D)!.peers()[0]!.sinceMs, since);
  });

  it("tells one path to who does not take several, and tells all again when asked", async () => {
    const { world } = await reflector("all", {});
    assert.deepEqual(paths(world, D), [`${B}#-`]);
    const both = await reflector("all");
    both.world.speakers.get(D)!.refresh(A);
    both.world.speakers.get(A)!.refresh(B);
    await both.world.advance(SECOND);
    assert.deepEqual(paths(both.world, D), [`${B}#1`, `${C}#2`]);
  });

  it("begins to tell several by a restart of the session that loses no route", async () => {
    const { world, again } = await reflector(undefined);
    assert.deepEqual(paths(world, D), [`${B}#-`]);
    world.events.length = 0;
    await again("all");
    await world.advance(5 * SECOND);
    assert.deepEqual(paths(world, D), [`${B}#1`, `${C}#2`]);
    assert.deepEqual(
      world.events.filter((event) => event.startsWith(`${D} -`)),
      [],
    );
  });
});

const capabilities: readonly Capability[] = [
  multiprotocol,
  restartCapability(true),
  { kind: "add-path", entries: [{ afi: 1, safi: 1, mode: "both" }] },
];

function tell(id: number, nextHop: string, localPref = 100): Uint8Array {
  const attributes = { origin: "igp" as const, asPath: [], nextHop: ipv4(nextHop), localPref };
  return encodeAnnounce({
    family: "ipv4-unicast",
    attributes: encodeAttributes(attributes, { fourOctetAs: false }),
    nextHop: attributes.nextHop,
    keys: [keyOfPrefix(prefix(shared))],
    ids: [id],
    maximumBytes: 4096,
  })[0]!;
}

function withdraw(id: number): Uint8Array {
  const nlri = { keys: [keyOfPrefix(prefix(shared))], ids: [id] };
  return encodeWithdraw({ family: "ipv4-unicast", maximumBytes: 4096, ...nlri })[0]!;
}

const hello = [openMessage({ capabilities }), encodeKeepalive()];
const receiving = { peers: { [B]: { addPath: { receive: true } } } };

describe("a peer that tells several paths", () => {
  it("replaces and withdraws each by its identifier", async () => {
    const world = await alone(receiving);
    const peer = await talk(world, [...hello, tell(5, "10.0.1.1"), tell(9, "10.0.1.2")]);
    assert.deepEqual(paths(world, A), ["10.0.1.1#5", "10.0.1.2#9"]);
    const { verdict } = world.speakers.get(A)!.why(prefix(shared)).paths[1]!;
    assert.deepEqual(verdict, { kind: "lost", step: "path-id", value: 9, otherValue: 5, to: B });
    assert.equal(world.speakers.get(A)!.peers()[0]!.routesReceived, 2);
    peer.connection.write(tell(9, "10.0.1.3", 200));
    await world.advance(100);
    assert.deepEqual(paths(world, A), ["10.0.1.1#5", "10.0.1.3#9"]);
    assert.equal(formatAddress(world.speakers.get(A)!.routes()[0]!.nextHop), "10.0.1.3");
    peer.connection.write(withdraw(1));
    peer.connection.write(withdraw(9));
    await world.advance(100);
    assert.deepEqual(paths(world, A), ["10.0.1.1#5"]);
    peer.connection.write(withdraw(5));
    await world.advance(100);
    assert.deepEqual(world.routes(A), []);
    assert.equal(peer.isClosed(), false);
  });

  it("may give others after a restart: what it does not tell again goes", async () => {
    const world = await alone(receiving);
    const first = await talk(world, [...hello, tell(1, "10.0.1.1"), tell(2, "10.0.1.2")]);
    first.connection.destroy();
    await world.advance(SECOND);
    assert.deepEqual(world.routes(A), [`${shared} stale`]);
    const second = await talk(world, [...hello, tell(3, "10.0.1.1")]);
    assert.deepEqual(paths(world, A), ["10.0.1.1#1", "10.0.1.1#3", "10.0.1.2#2"]);
    second.connection.write(encodeEndOfRib("ipv4-unicast"));
    await world.advance(100);
    assert.deepEqual(paths(world, A), ["10.0.1.1#3"]);
  });

  it("has so many to a prefix kept, with their changes, and room for another when one goes", async () => {
    const world = await alone(receiving);
    const many = Array.from({ length: MAXIMUM_PATHS + 5 }, (_, i) => tell(i + 1, "10.0.1.1"));
    const peer = await talk(world, [...hello, ...many, tell(2, "10.0.1.2")]);
    const received = () => world.speakers.get(A)!.peers()[0]!.routesReceived;
    assert.equal(received(), MAXIMUM_PATHS);
    assert.ok(paths(world, A).includes("10.0.1.2#2"));
    peer.connection.write(withdraw(2));
    peer.connection.write(tell(999, "10.0.1.9"));
    await world.advance(100);
    assert.equal(received(), MAXIMUM_PATHS);
    assert.ok(paths(world, A).includes("10.0.1.9#999"));
    assert.equal(peer.isClosed(), false);
  });

  it("is held to maximumPrefixes by paths, and taken at one path when it does not offer more", async () => {
    const peers = { [B]: { addPath: { receive: true }, maximumPrefixes: 2 } };
    const world = await alone({ peers });
    const peer = await talk(world, [...hello, tell(1, "10.0.1.1"), tell(2, "10.0.1.2")]);
    assert.equal(peer.isClosed(), false);
    peer.connection.write(tell(3, "10.0.1.3"));
    await world.advance(100);
    assert.equal(peer.received.at(-1), "Cease / Maximum Number of Prefixes Reached");
    const details = world.speakers.get(A)!.details(B)[0]!;
    assert.equal(details.session, undefined);
  });
});

describe("the configuration", () => {
  it("is checked", async () => {
    const world = await alone();
    const config = world.config(A, [B], { peers: { [B]: { addPath: { send: 0 } } } });
    assert.throws(() => world.speakers.get(A)!.configure(config), /addPath.send: 0/);
  });
});
