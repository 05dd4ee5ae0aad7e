/** Simulated speakers: collisions, configuration changes, relaying, route refresh. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatPrefix, ipAddress, ipv4, prefix } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import { Speaker } from "./speaker.ts";
import { A, B, C, type NodeOptions, pair, SECOND, World } from "./testing/simulated-world.ts";
import type { PeerConfig, SpeakerConfig } from "./types.ts";

describe("two speakers that dial each other", () => {
  for (let skew = 0; skew <= 8; skew++) {
    it(`end with one session, the second starting ${skew} ms later`, async () => {
      const world = new World();
      await world.start(A, [B]);
      await world.advance(skew);
      await world.start(B, [A]);
      await world.advance(10 * SECOND);
      assert.deepEqual([...world.state(A), ...world.state(B)], ["Established", "Established"]);
      const since = world.speakers.get(A)!.peers()[0]!.sinceMs;
      await world.advance(1000 * SECOND);
      assert.equal(world.speakers.get(A)!.peers()[0]!.sinceMs, since, "and it stays");
    });
  }
});

describe("configuration", () => {
  it("with other policies changes routes, not sessions", async () => {
    const world = await pair();
    const since = world.speakers.get(A)!.peers()[0]!.sinceMs;
    world.speakers.get(A)!.configure(
      world.config(A, [B], {
        peers: {
          [B]: {
            importPolicy: [{ prefixes: [{ prefix: prefix("10.2.0.0/26") }], action: "reject" }],
            exportPolicy: [{ action: "reject" }],
          },
        },
        originate: ["10.1.0.0/26"],
      }),
    );
    await world.advance(SECOND);
    assert.deepEqual(world.routes(A), ["10.2.1.0/24"]);
    assert.deepEqual(world.routes(B), []);
    world.speakers.get(A)!.configure(world.config(A, [B], { originate: ["10.1.0.0/26"] }));
    await world.advance(SECOND);
    assert.equal(world.routes(A).length, 2);
    assert.deepEqual(world.routes(B), ["10.1.0.0/26"]);
    assert.equal(world.speakers.get(A)!.peers()[0]!.sinceMs, since);
  });

  it("without a peer ends its session and drops its routes", async () => {
    const world = await pair();
    world.speakers.get(A)!.configure(world.config(A, [], {}));
    await world.advance(100);
    assert.deepEqual(world.routes(A), []);
    assert.deepEqual(world.routes(B), []);
    assert.match(world.speakers.get(B)!.peers()[0]!.lastError, /Peer De-configured/);
  });

  it("with another hold time makes a new session", async () => {
    const world = await pair();
    world.events.length = 0;
    const peers = { [B]: { holdTimeSeconds: 30 } };
    const originate = ["10.1.0.0/26"];
    world.speakers.get(A)!.configure(world.config(A, [B], { peers, originate }));
    await world.advance(60 * SECOND);
    assert.equal(world.speakers.get(A)!.peers()[0]!.holdTimeSeconds, 30);
    assert.equal(
      world.speakers.get(B)!.peers()[0]!.lastError,
      "received Cease / Other Configuration Change",
    );
    assert.deepEqual(world.events, [], "nobody loses a route meanwhile");
    assert.deepEqual(world.routes(A), ["10.2.0.0/26", "10.2.1.0/24"]);
    assert.deepEqual(world.routes(B), originate);
  });

  it("with another name for a peer keeps its session and routes, and shows the new name", async () => {
    const world = await pair();
    const speaker = world.speakers.get(A)!;
    const [{ sinceMs } = { sinceMs: 0 }] = speaker.peers();
    world.events.length = 0;
    const config = world.config(A, [B], { originate: ["10.1.0.0/26"] });
    const renamed = (more: Partial<PeerConfig>) => ({
      ...config,
      peers: config.peers.map((peer) => ({ ...peer, name: "reflector", ...more })),
    });
    speaker.configure(renamed({}));
    await world.advance(SECOND);
    assert.deepEqual(
      speaker.peers().map((peer) => [peer.name, peer.state, peer.sinceMs]),
      [["reflector", "Established", sinceMs]],
    );
    assert.deepEqual([...new Set(speaker.routes().map(({ peer }) => peer))], ["reflector"]);
    // And one that begins a new session under its new name.
    speaker.configure(renamed({ holdTimeSeconds: 60 }));
    await world.advance(60 * SECOND);
    speaker.configure(config);
    await world.advance(60 * SECOND);
    assert.deepEqual(
      world.events.filter((event) => event.includes("-")),
      [],
      "nothing is lost, nor told back to whom it came from",
    );
    assert.deepEqual(world.routes(B), ["10.1.0.0/26"]);
  });

  it("that is the same sends nothing", async () => {
    const world = await pair();
    world.events.length = 0;
    world.speakers.get(A)!.configure(world.config(A, [B], { originate: ["10.1.0.0/26"] }));
    await world.advance(SECOND);
    assert.deepEqual(world.events, []);
  });

  it("with another AS for one peer is internal or external by it, and puts it into paths", async () => {
    const world = new World();
    await world.start(A, [B], {
      as: 65000,
      originate: ["10.1.0.0/26"],
      peers: { [B]: { localAs: 64999 } },
    });
    await world.start(B, [A], { peers: { [A]: { remoteAs: 64999 } } });
    await world.advance(SECOND);
    const [external] = world.speakers.get(B)!.routes();
    assert.deepEqual([external?.peerType, external?.asPath], ["ebgp", [64999]]);
    world.speakers.get(A)!.configure(
      world.config(A, [B], {
        as: 65000,
        originate: ["10.1.0.0/26"],
        peers: { [B]: { localAs: 64512 } },
      }),
    );
    world.speakers.get(B)!.configure(world.config(B, [A], {}));
    await world.advance(60 * SECOND);
    const [internal] = world.speakers.get(B)!.routes();
    assert.deepEqual([internal?.peerType, internal?.asPath], ["ibgp", []]);
  });

  it("tells one peer another restart time", async () => {
    const world = await pair({}, { peers: { [A]: { restartTimeSeconds: 7 } } });
    world.kill(B);
    await world.advance(6 * SECOND);
    assert.equal(world.routes(A).length, 2);
    await world.advance(2 * SECOND);
    assert.deepEqual(world.routes(A), []);
  });

  const bad: [name: string, change: Partial<SpeakerConfig>, message: RegExp][] = [
    ["AS 0", { localAs: 0 }, /localAs: 0 is not a whole number from 1 to 4294967295/],
    ["no router id", { routerId: ipv4("0.0.0.0") }, /routerId: 0\.0\.0\.0 is no BGP identifier/],
    [
      "restart time",
      { gracefulRestart: { restartTimeSeconds: 4096 } },
      /gracefulRestart\.restartTimeSeconds: 4096/,
    ],
    [
      "host bits",
      { originate: [{ prefix: prefix("10.0.0.1/8") }] },
      /10\.0\.0\.1\/8 has host bits/,
    ],
    [
      "two peers with one name",
      { peers: [peerNamed("x", B), peerNamed("x", C)] },
      /the name x appears twice/,
    ],
    [
      "two peers with one address",
      { peers: [peerNamed("x", B), peerNamed("y", B)] },
      /x and y have one address, 10\.0\.0\.2/,
    ],
    [
      "hold time 2",
      { peers: [{ ...peerNamed("x", B), holdTimeSeconds: 2 }] },
      /peers\.x\.holdTimeSeconds: 2 /,
    ],
    [
      "an empty password",
      { peers: [{ ...peerNamed("x", B), password: "" }] },
      /peers\.x\.password: 0 bytes/,
    ],
    [
      "a password too long",
      { peers: [{ ...peerNamed("x", B), password: "é".repeat(41) }] },
      /peers\.x\.password: 82 bytes; TCP MD5 takes 1 to 80/,
    ],
    ["ttl 0", { peers: [{ ...peerNamed("x", B), ttl: 0 }] }, /peers\.x\.ttl: 0 is not/],
    [
      "256 hops",
      { peers: [{ ...peerNamed("x", B), ttlSecurityHops: 256 }] },
      /peers\.x\.ttlSecurityHops: 256 is not/,
    ],
    [
      "ttl with TTL security",
      { peers: [{ ...peerNamed("x", B), ttl: 64, ttlSecurityHops: 1 }] },
      /peers\.x\.ttl: with ttlSecurityHops it is 255/,
    ],
  ];
  for (const [name, change, message] of bad) {
    it(`is refused: ${name}`, () => {
      const world = new World();
      const config = { ...world.config(A, [], {}), ...change };
      assert.throws(() => new Speaker({ clock: world.clock, log: silentLog, config }), message);
    });
  }
});

function peerNamed(name: string, address: string): PeerConfig {
  return { name, address: ipAddress(address), remoteAs: 64512 };
}

describe("three in a row", () => {
  /** What C learns of A's route through B. */
  async function chain(
    as: [number, number, number],
    b: Partial<PeerConfig> = {},
  ): Promise<string[]> {
    const world = new World();
    const [a, middle, c] = as;
    await world.start(A, [B], {
      as: a,
      originate: ["10.1.0.0/26"],
      peers: { [B]: { remoteAs: middle } },
    });
    await world.start(B, [A, C], {
      as: middle,
      peers: { [A]: { remoteAs: a, ...b }, [C]: { remoteAs: c, ...b } },
    });
    await world.start(C, [B], { as: c, peers: { [B]: { remoteAs: middle } } });
    await world.advance(10 * SECOND);
    return world.speakers
      .get(C)!
      .routes()
      .map(({ prefix: known, asPath }) => `${formatPrefix(known)} ${asPath.join(" ")}`.trim());
  }

  it("eBGP carries routes through, each AS in the path", async () => {
    assert.deepEqual(await chain([1, 2, 3]), ["10.1.0.0/26 2 1"]);
  });
  it("eBGP to iBGP carries them through", async () => {
    assert.deepEqual(await chain([1, 2, 2]), ["10.1.0.0/26 1"]);
  });
  it("iBGP does not", async () => {
    assert.deepEqual(await chain([2, 2, 2]), []);
  });
  it("iBGP with a reflector in the middle does", async () => {
    assert.deepEqual(await chain([2, 2, 2], { routeReflectorClient: true }), ["10.1.0.0/26"]);
  });
  it("an AS takes back its own routes as often as it is allowed to", async () => {
    for (const [allowedLocalAs, expected] of [
      [0, undefined],
      [1, [64513, 64512]],
    ] as const) {
      const world = new World();
      await world.start(A, [B], {
        originate: ["10.1.0.0/26"],
        peers: { [B]: { remoteAs: 64513 } },
      });
      await world.start(B, [A, C], { as: 64513, peers: { [A]: {}, [C]: {} } });
      await world.start(C, [B], { peers: { [B]: { remoteAs: 64513, allowedLocalAs } } });
      await world.advance(SECOND);
      assert.deepEqual(world.speakers.get(C)!.routes()[0]?.asPath, expected);
    }
  });

  it("an AS does not take back its own routes", async () => {
    assert.deepEqual(await chain([1, 2, 1]), []);
  });
});

describe("convergence", () => {
  it("waits as long for a peer that never comes as it would keep our routes, and says so", async () => {
    const world = new World();
    const speaker = await world.start(A, [B], { restartTimeSeconds: 60 });
    let told = 0;
    speaker.onPeers(() => {
      if (speaker.converged()) told++;
    });
    await world.advance(59 * SECOND);
    assert.equal(speaker.converged(), false);
    await world.advance(2 * SECOND);
    assert.equal(speaker.converged(), true);
    assert.ok(told > 0);
  });

  it("is false before the start, true at once without peers", async () => {
    const world = new World();
    const config = world.config(A, [], {});
    const transport = world.network.transport(ipv4(A));
    const speaker = new Speaker({ clock: world.clock, log: silentLog, config, transport });
    assert.equal(speaker.converged(), false);
    await speaker.start();
    assert.equal(speaker.converged(), true);
    await speaker.stop();
    await world.advance(5 * SECOND);
    assert.equal(world.clock.pendingTimers, 0, "nothing is left running");
  });
});

describe("errors", () => {
  it("are tried again later and later, up to half a minute", async () => {
    const world = new World();
    await world.start(A, [B]);
    await world.start(B, [A], { as: 65000, peers: { [A]: { passive: true } } });
    await world.advance(60 * SECOND);
    const early = world.network.dials.length;
    assert.ok(early >= 4 && early <= 10, `${early} dials in the first minute`);
    await world.advance(600 * SECOND);
    const later = world.network.dials.length - early;
    assert.ok(later >= 20 && later <= 30, `${later} dials in ten minutes`);
  });
});

describe("an advertisement interval", () => {
  const told = async (advertisementIntervalSeconds: number) => {
    const peers = { [B]: { advertisementIntervalSeconds } };
    const world = await pair({ peers });
    await world.advance(40 * SECOND);
    const change = (...originate: string[]) =>
      world.speakers.get(A)!.configure(world.config(A, [B], { originate, peers }));
    return { world, change };
  };

  it("tells the first change at once, and those after it together", async () => {
    const { world, change } = await told(30);
    change("10.1.1.0/24");
    await world.advance(SECOND);
    assert.deepEqual(world.routes(B), ["10.1.1.0/24"]);
    world.events.length = 0;
    change("10.1.2.0/24");
    await world.advance(10 * SECOND);
    change("10.1.3.0/24");
    await world.advance(10 * SECOND);
    assert.deepEqual(world.routes(B), ["10.1.1.0/24"]);
    await world.advance(11 * SECOND);
    assert.deepEqual(world.routes(B), ["10.1.3.0/24"]);
    assert.deepEqual(world.events, [`${B} -10.1.1.0/24`, `${B} +10.1.3.0/24`]);
  });

  it("of none tells every change at once, also what waited when it was taken away", async () => {
    const { world, change } = await told(0);
    for (const route of ["10.1.1.0/24", "10.1.2.0/24", "10.1.3.0/24"]) {
      change(route);
      await world.advance(100);
      assert.deepEqual(world.routes(B), [route]);
    }
    const slow = { [B]: { advertisementIntervalSeconds: 30 } };
    const config = (originate: string, peers: NodeOptions["peers"] = {}) =>
      world.config(A, [B], { originate: [originate], peers });
    world.speakers.get(A)!.configure(config("10.1.4.0/24", slow));
    await world.advance(100);
    world.speakers.get(A)!.configure(config("10.1.5.0/24", slow));
    await world.advance(100);
    assert.deepEqual(world.routes(B), ["10.1.4.0/24"]);
    world.speakers.get(A)!.configure(config("10.1.5.0/24"));
    await world.advance(100);
    assert.deepEqual(world.routes(B), ["10.1.5.0/24"]);
  });
});

describe("route refresh", () => {
  it("has everything sent again, with nothing lost meanwhile", async () => {
    const world = await pair();
    world.events.length = 0;
    world.speakers.get(A)!.refresh(B);
    await world.advance(SECOND);
    assert.equal(world.routes(A).length, 2);
    assert.deepEqual(world.events, []);
    assert.throws(() => world.speakers.get(A)!.refresh("nobody"), /no BGP peer is named nobody/);
  });
});
