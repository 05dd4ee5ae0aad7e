/** Long-lived graceful restart (RFC 9494): what is kept when graceful restart is over, and who is told. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock, formatPrefix, ipv4, prefix } from "../lib/index.ts";
import { Deadline } from "./session/index.ts";
import { alone, multiprotocol, openMessage, talk } from "./testing/scripted-peer.ts";
import { A, B, C, SECOND, World } from "./testing/simulated-world.ts";
import type { AddressFamily, OriginatedRoute, PeerConfig } from "./types.ts";
import {
  type Capability,
  decodeOpen,
  encodeAnnounce,
  encodeAttributes,
  encodeEndOfRib,
  encodeKeepalive,
  keyOfPrefix,
  type LongLivedRestartCapability,
} from "./wire/index.ts";

const D = "10.0.0.4";
const STALE = 0xffff0006;
const NO_LLGR = 0xffff0007;
const NO_EXPORT = 0xffffff01;
const kept = "10.2.0.0/24";
const other = "10.2.1.0/24";
const longLivedRestart = { staleTimeSeconds: 1000 };

interface Cast {
  readonly atA?: Partial<PeerConfig>;
  readonly atB?: Partial<PeerConfig>;
  readonly originate?: readonly OriginatedRoute[];
}

const routesOfB: readonly OriginatedRoute[] = [kept, other].map((text) => ({
  prefix: prefix(text),
}));

function startB(world: World, { atB = { longLivedRestart }, originate = routesOfB }: Cast) {
  const config = world.config(B, [A], { restartTimeSeconds: 40, peers: { [A]: atB } });
  return world.startConfig(B, { ...config, originate });
}

/** A reflects what B tells to C, which knows RFC 9494, and to D, which does not. */
async function cast(parts: Cast = {}, atAforD: Partial<PeerConfig> = {}): Promise<World> {
  const world = new World();
  const client = { routeReflectorClient: true };
  const { atA = { longLivedRestart } } = parts;
  await world.start(A, [B, C, D], {
    peers: {
      [B]: { ...client, ...atA },
      [C]: { ...client, longLivedRestart },
      [D]: { ...client, ...atAforD },
    },
  });
  await startB(world, parts);
  await world.start(C, [A], { peers: { [A]: { longLivedRestart } } });
  await world.start(D, [A]);
  await world.advance(2 * SECOND);
  return world;
}

/** Prefix, community, LOCAL_PREF where it is not 100. */
function held(world: World, at: string): string[] {
  const names = new Map([
    [STALE, "LLGR_STALE"],
    [NO_LLGR, "NO_LLGR"],
    [NO_EXPORT, "NO_EXPORT"],
  ]);
  return world.speakers
    .get(at)!
    .routes()
    .map((route) => {
      const words = route.communities.map((each) => names.get(each) ?? `${each}`);
      const preference = route.localPref === 100 ? [] : [`${route.localPref}`];
      return [formatPrefix(route.prefix), ...words, ...preference].join(" ");
    })
    .sort();
}

const status = (world: World) =>
  world.speakers
    .get(A)!
    .peers()
    .find(({ name }) => name === B)!;

describe("the helper", () => {
  it("keeps routes, marked, when graceful restart is over, for the time the peer told", async () => {
    const world = await cast();
    world.kill(B);
    await world.advance(39 * SECOND);
    assert.deepEqual(held(world, A), [kept, other]);
    assert.equal(status(world).gracefulRestart, true);
    assert.equal(status(world).longLivedRestart, undefined);
    await world.advance(2 * SECOND);
    assert.deepEqual(held(world, A), [`${kept} LLGR_STALE`, `${other} LLGR_STALE`]);
    assert.equal(status(world).gracefulRestart, false);
    assert.equal(status(world).longLivedRestart, true);
    assert.equal(world.speakers.get(A)!.converged(), true, "nobody waits for it any more");
    await world.advance(990 * SECOND);
    assert.equal(held(world, A).length, 2);
    await world.advance(20 * SECOND);
    assert.deepEqual(held(world, A), []);
    assert.equal(status(world).longLivedRestart, undefined);
  });

  it("takes them as fresh when they are told again, and drops the rest at End-of-RIB", async () => {
    const world = await cast();
    world.kill(B);
    await world.advance(500 * SECOND);
    await startB(world, { originate: routesOfB.slice(1) });
    await world.advance(10 * SECOND);
    assert.deepEqual(held(world, A), [other]);
    assert.equal(status(world).longLivedRestart, undefined);
    await world.advance(2000 * SECOND);
    assert.deepEqual(held(world, A), [other]);
  });

  it("prefers any other route, and says so", async () => {
    const world = await cast();
    const again = { originate: [kept], peers: { [A]: { longLivedRestart } } };
    world.speakers.get(C)!.configure(world.config(C, [A], again));
    await world.advance(SECOND);
    const best = () => world.speakers.get(A)!.why(prefix(kept)).paths[0]!.route.peer;
    assert.equal(best(), B);
    world.kill(B);
    await world.advance(41 * SECOND);
    assert.equal(best(), C);
    const { paths } = world.speakers.get(A)!.why(prefix(kept));
    assert.deepEqual(paths[1]!.verdict, {
      ...{ kind: "lost", step: "long-lived-stale", to: C },
      ...{ value: "stale", otherValue: "fresh" },
    });
  });

  it("does not keep routes that say so", async () => {
    const originate = [{ prefix: prefix(kept), communities: [NO_LLGR] }, ...routesOfB.slice(1)];
    const world = await cast({ originate });
    assert.deepEqual(held(world, A), [`${kept} NO_LLGR`, other]);
    world.kill(B);
    await world.advance(41 * SECOND);
    assert.deepEqual(held(world, A), [`${other} LLGR_STALE`]);
  });

  it("keeps nothing for longer unless told to, nor for longer than told to", async () => {
    const without = await cast({ atA: {} });
    without.kill(B);
    await without.advance(41 * SECOND);
    assert.deepEqual(held(without, A), []);
    const short = { longLivedRestart: { staleTimeSeconds: 0, maximumStaleTimeSeconds: 100 } };
    const world = await cast({ atA: short });
    world.kill(B);
    await world.advance(130 * SECOND);
    assert.equal(held(world, A).length, 2);
    await world.advance(20 * SECOND);
    assert.deepEqual(held(world, A), []);
  });

  it("drops them at once after a shutdown that was told", async () => {
    const world = await cast();
    await world.speakers.get(B)!.stop({ notify: true });
    await world.advance(SECOND);
    assert.deepEqual(held(world, A), []);
  });

  it("begins at once where the restart time is 0", async () => {
    const world = await cast({ atB: { longLivedRestart, restartTimeSeconds: 0 } });
    world.kill(B);
    await world.advance(SECOND);
    assert.deepEqual(held(world, A), [`${kept} LLGR_STALE`, `${other} LLGR_STALE`]);
  });
});

describe("an import policy", () => {
  it("that takes all communities away leaves the mark, and the route the last resort", async () => {
    const strip = [{ action: "accept" as const, set: { communities: { replace: [9] } } }];
    const world = await cast({ atA: { longLivedRestart, importPolicy: strip } });
    assert.deepEqual(held(world, A), [`${kept} 9`, `${other} 9`]);
    world.kill(B);
    await world.advance(41 * SECOND);
    assert.deepEqual(held(world, A), [`${kept} 9 LLGR_STALE`, `${other} 9 LLGR_STALE`]);
    assert.deepEqual(held(world, D), [], "who does not know the mark is not told");
  });

  it("may say of a route that it is not to be kept", async () => {
    const within = { prefixes: [{ prefix: prefix(kept) }] };
    const add = { communities: { add: [NO_LLGR] } };
    const importPolicy = [{ ...within, action: "accept" as const, set: add }];
    const world = await cast({ atA: { longLivedRestart, importPolicy } });
    world.kill(B);
    await world.advance(39 * SECOND);
    assert.deepEqual(held(world, A), [`${kept} NO_LLGR`, other]);
    await world.advance(2 * SECOND);
    assert.deepEqual(held(world, A), [`${other} LLGR_STALE`]);
    await startB(world, {});
    await world.advance(10 * SECOND);
    assert.deepEqual(held(world, A), [`${kept} NO_LLGR`, other]);
  });
});

it("an export policy that takes all communities away leaves the mark", async () => {
  const strip = [{ action: "accept" as const, set: { communities: { replace: [] } } }];
  const world = await cast();
  const client = { routeReflectorClient: true, longLivedRestart };
  const peers = { [B]: client, [C]: { ...client, exportPolicy: strip }, [D]: client };
  world.speakers.get(A)!.configure(world.config(A, [B, C, D], { peers }));
  world.kill(B);
  await world.advance(41 * SECOND);
  assert.deepEqual(held(world, C), [`${kept} LLGR_STALE`, `${other} LLGR_STALE`]);
});

it("is told and done for the families it is set for", async () => {
  const only = async (families: readonly AddressFamily[]) => {
    const atB = { longLivedRestart: { staleTimeSeconds: 0, families }, families: both };
    const world = await alone({ peers: { [B]: atB } });
    const peer = await talk(world, [...hello({}), tell(kept)]);
    const open = world.speakers
      .get(A)!
      .messages(B)
      .find(({ sent }) => sent)!;
    const told = decodeOpen(open.bytes).capabilities.flatMap((each) =>
      each.kind === "long-lived-graceful-restart" ? each.families.map(({ afi }) => afi) : [],
    );
    peer.connection.destroy();
    await world.advance(65 * SECOND);
    return [told, held(world, A)];
  };
  const both = ["ipv4-unicast", "ipv6-unicast"] as const;
  assert.deepEqual(await only(both), [[1, 2], [`${kept} LLGR_STALE`]]);
  assert.deepEqual(await only(["ipv4-unicast"]), [[1], [`${kept} LLGR_STALE`]]);
  assert.deepEqual(await only(["ipv6-unicast"]), [[2], []]);
});

describe("other peers", () => {
  it("are told of stale routes when they know what that is", async () => {
    const world = await cast();
    assert.deepEqual([held(world, C).length, held(world, D).length], [2, 2]);
    world.kill(B);
    await world.advance(41 * SECOND);
    assert.deepEqual(held(world, C), [`${kept} LLGR_STALE`, `${other} LLGR_STALE`]);
    assert.deepEqual(held(world, D), [], "those that do not are told that they are gone");
    await startB(world, {});
    await world.advance(10 * SECOND);
    assert.deepEqual(
      [held(world, C), held(world, D)],
      [
        [kept, other],
        [kept, other],
      ],
    );
  });

  it("that do not are told of a last resort where told so", async () => {
    const tellUnaware = { longLivedRestart: { ...longLivedRestart, tellUnaware: true } };
    const world = await cast({}, tellUnaware);
    world.kill(B);
    await world.advance(41 * SECOND);
    const last = "LLGR_STALE NO_EXPORT 0";
    assert.deepEqual(held(world, D), [`${kept} ${last}`, `${other} ${last}`]);
    assert.deepEqual(held(world, C), [`${kept} LLGR_STALE`, `${other} LLGR_STALE`]);
  });
});

function capabilities(
  longLived: Partial<LongLivedRestartCapability["families"][number]> | undefined,
  restartTimeSeconds = 60,
): readonly Capability[] {
  const ipv4Unicast = { afi: 1, safi: 1 };
  return [
    multiprotocol,
    {
      ...{ kind: "graceful-restart", restarted: true, notification: false, restartTimeSeconds },
      families: [{ ...ipv4Unicast, forwarding: true }],
    },
    ...(longLived === undefined
      ? []
      : [
          {
            kind: "long-lived-graceful-restart" as const,
            families: [{ ...ipv4Unicast, forwarding: true, staleTimeSeconds: 300, ...longLived }],
          },
        ]),
  ];
}

const hello = (...parts: Parameters<typeof capabilities>) => [
  openMessage({ capabilities: capabilities(...parts) }),
  encodeKeepalive(),
];

function tell(route: string, communities: readonly number[] = []): Uint8Array {
  const attributes = { origin: "igp" as const, asPath: [], nextHop: ipv4(B), communities };
  return encodeAnnounce({
    family: "ipv4-unicast",
    attributes: encodeAttributes(attributes, { fourOctetAs: false }),
    nextHop: attributes.nextHop,
    keys: [keyOfPrefix(prefix(route))],
    maximumBytes: 4096,
  })[0]!;
}

const helping = { peers: { [B]: { longLivedRestart: { staleTimeSeconds: 0 } } } };

describe("a peer that comes back", () => {
  for (const [name, back] of [
    ["without the capability", undefined],
    ["without forwarding kept", { forwarding: false }],
    ["with another family alone", { afi: 2 }],
  ] as const) {
    it(`${name} has lost what was kept`, async () => {
      const world = await alone(helping);
      const first = await talk(world, [...hello({}), tell(kept)]);
      first.connection.destroy();
      await world.advance(100 * SECOND);
      assert.deepEqual(held(world, A), [`${kept} LLGR_STALE`]);
      await talk(world, hello(back));
      assert.deepEqual(held(world, A), []);
    });
  }

  it("and goes again before End-of-RIB gets no new time", async () => {
    const world = await alone(helping);
    const first = await talk(world, [...hello({}), tell(kept), tell(other)]);
    first.connection.destroy();
    await world.advance(200 * SECOND);
    const second = await talk(world, [...hello({}), tell("10.3.0.0/24")]);
    assert.deepEqual(held(world, A), [`${kept} LLGR_STALE`, `${other} LLGR_STALE`, "10.3.0.0/24"]);
    second.connection.destroy();
    await world.advance(100 * SECOND);
    assert.equal(held(world, A).length, 3);
    await world.advance(65 * SECOND);
    assert.deepEqual(held(world, A), [], "300 s after the first restart time of 60 s");
  });

  it("and ends its telling gets a new time when it goes again", async () => {
    const world = await alone(helping);
    const first = await talk(world, [...hello({}), tell(kept)]);
    first.connection.destroy();
    await world.advance(200 * SECOND);
    const again = [...hello({}), tell(kept), encodeEndOfRib("ipv4-unicast")];
    const second = await talk(world, again);
    assert.deepEqual(held(world, A), [kept]);
    second.connection.destroy();
    await world.advance(355 * SECOND);
    assert.deepEqual(held(world, A), [`${kept} LLGR_STALE`]);
    await world.advance(10 * SECOND);
    assert.deepEqual(held(world, A), []);
  });

  it("may keep no family by graceful restart and all by this", async () => {
    const world = await alone(helping);
    const only = capabilities({}).map((each) =>
      each.kind === "graceful-restart" ? { ...each, families: [] } : each,
    );
    const opening = [openMessage({ capabilities: only }), encodeKeepalive()];
    const first = await talk(world, [...opening, tell(kept)]);
    first.connection.destroy();
    await world.advance(SECOND);
    assert.deepEqual(held(world, A), [`${kept} LLGR_STALE`]);
    await talk(world, opening);
    assert.deepEqual(held(world, A), [`${kept} LLGR_STALE`], "its forwarding was kept");
  });

  it("with the capability and without graceful restart has none of it", async () => {
    const world = await alone(helping);
    const lone = capabilities({}).filter(({ kind }) => kind !== "graceful-restart");
    const opening = [openMessage({ capabilities: lone }), encodeKeepalive()];
    const first = await talk(world, [...opening, tell(kept)]);
    first.connection.destroy();
    await world.advance(SECOND);
    assert.deepEqual(held(world, A), []);
  });
});

describe("a route marked elsewhere", () => {
  it("is the least preferred here too", async () => {
    const world = await alone({
      peers: { [B]: { addPath: { receive: true }, longLivedRestart: { staleTimeSeconds: 0 } } },
    });
    await talk(world, [...hello({}), tell(kept, [STALE])]);
    const { paths } = world.speakers.get(A)!.why(prefix(kept));
    assert.equal(paths[0]!.verdict.kind, "best", "where it is the only one");
    assert.deepEqual(held(world, A), [`${kept} LLGR_STALE`]);
  });
});

describe("the time", () => {
  it("may be as long as the field, which is more than one timer of Node.js", async () => {
    const clock = new FakeClock();
    let longestMs = 0;
    let fired = false;
    const watching = {
      ...{ now: () => clock.now(), monotonicMs: () => clock.monotonicMs() },
      schedule: (delayMs: number, callback: () => void) => {
        longestMs = Math.max(longestMs, delayMs);
        return clock.schedule(delayMs, callback);
      },
    };
    const deadline = new Deadline(watching as FakeClock, () => {
      fired = true;
    });
    const timeMs = (2 ** 24 - 1) * SECOND;
    deadline.start(timeMs);
    await clock.advance(timeMs - 10);
    assert.equal(fired, false);
    await clock.advance(20);
    assert.equal(fired, true);
    assert.ok(longestMs < 2 ** 31, `${longestMs} ms`);
  });

  it("is checked", async () => {
    const world = await alone();
    const peers = { [B]: { longLivedRestart: { staleTimeSeconds: 2 ** 24 } } };
    const config = world.config(A, [B], { peers });
    assert.throws(() => world.speakers.get(A)!.configure(config), /staleTimeSeconds: 16777216/);
  });
});
