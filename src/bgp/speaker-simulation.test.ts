/**
 * Whole speakers on a network in memory and a clock that is moved by hand: everything that takes
 * minutes, or needs an exact order of events.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock, formatPrefix, ipAddress, ipv4, prefix } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import { MemoryNetwork } from "./memory-network.ts";
import type { Connection } from "./session/index.ts";
import { Speaker } from "./speaker.ts";
import type { PeerConfig, SpeakerConfig } from "./types.ts";
import {
  type Capability,
  decodeNotification,
  describeNotification,
  encodeEndOfRib,
  encodeKeepalive,
  encodeOpen,
  Framer,
} from "./wire/index.ts";

const SECOND = 1000;

interface NodeOptions {
  readonly as?: number;
  readonly originate?: readonly string[];
  readonly restartTimeSeconds?: number;
  /** By neighbour. */
  readonly peers?: Readonly<Record<string, Partial<PeerConfig>>>;
}

/** Machines named by their addresses; each is a peer of all those it names. */
class World {
  readonly clock = new FakeClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly speakers = new Map<string, Speaker>();
  /** `ADDRESS +PREFIX` and `ADDRESS -PREFIX`, as listeners were told. */
  readonly events: string[] = [];

  config(address: string, neighbours: readonly string[], options: NodeOptions): SpeakerConfig {
    const { as = 64512, originate = [], restartTimeSeconds = 120 } = options;
    return {
      localAs: as,
      routerId: ipv4(address),
      listen: { port: 179 },
      gracefulRestart: { restartTimeSeconds },
      originate: originate.map((text) => ({ prefix: prefix(text) })),
      peers: neighbours.map((neighbour) => ({
        name: neighbour,
        address: ipAddress(neighbour),
        remoteAs: 64512,
        ...options.peers?.[neighbour],
      })),
    };
  }

  async start(
    address: string,
    neighbours: readonly string[],
    options: NodeOptions = {},
  ): Promise<Speaker> {
    return this.startConfig(address, this.config(address, neighbours, options));
  }

  async startConfig(address: string, config: SpeakerConfig): Promise<Speaker> {
    const speaker = new Speaker({
      clock: this.clock,
      log: silentLog,
      config,
      transport: this.network.transport(ipv4(address)),
    });
    this.speakers.set(address, speaker);
    speaker.onRoutes((changes) => {
      for (const { prefix: changed, best } of changes) {
        this.events.push(`${address} ${best ? "+" : "-"}${formatPrefix(changed)}`);
      }
    });
    await speaker.start();
    return speaker;
  }

  /** As kill -9. */
  kill(address: string): void {
    this.network.kill(ipv4(address));
    // What is left of it in this process must not speak any more.
    void this.speakers.get(address)?.stop();
    this.speakers.delete(address);
  }

  routes(address: string): string[] {
    const speaker = this.speakers.get(address);
    assert.ok(speaker);
    return speaker
      .routes()
      .map(({ prefix: known, stale }) => `${formatPrefix(known)}${stale ? " stale" : ""}`)
      .sort();
  }

  state(address: string): string[] {
    return this.speakers
      .get(address)!
      .peers()
      .map(({ state }) => state);
  }

  advance(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }
}

const A = "10.0.0.1";
const B = "10.0.0.2";
const C = "10.0.0.3";

async function pair(a: NodeOptions = {}, b: NodeOptions = {}): Promise<World> {
  const world = new World();
  await world.start(A, [B], { originate: ["10.1.0.0/26"], ...a });
  await world.start(B, [A], { originate: ["10.2.0.0/26", "10.2.1.0/24"], ...b });
  await world.advance(SECOND);
  assert.deepEqual([...world.state(A), ...world.state(B)], ["Established", "Established"]);
  return world;
}

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
    await world.speakers.get(B)!.stop({ notify: true });
    await world.advance(100);
    assert.deepEqual(world.routes(A), []);
    const { lastError } = world.speakers.get(A)!.peers()[0]!;
    assert.equal(lastError, "received Cease / Administrative Shutdown");
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

describe("a peer that is written by hand", () => {
  const multiprotocol: Capability = { kind: "multiprotocol", afi: 1, safi: 1 };
  const restart = (forwarding: boolean): Capability => ({
    kind: "graceful-restart",
    restarted: true,
    notification: false,
    restartTimeSeconds: 60,
    families: [{ afi: 1, safi: 1, forwarding }],
  });

  /** Dials A and sends the messages; what comes back is kept. */
  async function talk(world: World, messages: readonly Uint8Array[]) {
    const framer = new Framer();
    const received: string[] = [];
    let closed = false;
    const connection: Connection = world.network.transport(ipv4(B)).dial(
      { address: ipv4(A), port: 179 },
      {
        onConnect: () => {
          for (const message of messages) connection.write(message);
        },
        onData: (chunk) => {
          framer.push(chunk);
          for (let found = framer.next(); found; found = framer.next()) {
            const type = ["", "OPEN", "UPDATE", "NOTIFICATION", "KEEPALIVE", "REFRESH"][
              found[18]!
            ]!;
            const words =
              type === "NOTIFICATION" ? describeNotification(decodeNotification(found)) : "";
            received.push(words === "" ? type : words);
          }
        },
        onDrain: () => undefined,
        onClose: () => {
          closed = true;
        },
      },
    );
    await world.advance(100);
    return { connection, received, isClosed: () => closed };
  }

  function open(
    parts: { as?: number; capabilities?: Capability[]; hold?: number } = {},
  ): Uint8Array {
    const { as = 64512, capabilities = [multiprotocol], hold = 240 } = parts;
    return encodeOpen({
      kind: "open",
      as,
      holdTimeSeconds: hold,
      routerId: ipv4(B),
      capabilities,
    });
  }

  async function alone(options: NodeOptions = {}): Promise<World> {
    const world = new World();
    await world.start(A, [B], {
      ...options,
      peers: { [B]: { passive: true, ...options.peers?.[B] } },
    });
    return world;
  }

  it("with another AS is told so", async () => {
    const world = await alone();
    const { received, isClosed } = await talk(world, [open({ as: 65000 })]);
    assert.deepEqual(received, ["OPEN", "OPEN Message Error / Bad Peer AS"]);
    assert.equal(isClosed(), true);
    assert.equal(
      world.speakers.get(A)!.peers()[0]!.lastError,
      "sent OPEN Message Error / Bad Peer AS: AS 65000 where 64512 is configured",
    );
  });

  it("that falls silent is given up when the hold time is over", async () => {
    const world = await alone({ peers: { [B]: { holdTimeSeconds: 9 } } });
    const { received } = await talk(world, [open(), encodeKeepalive()]);
    assert.deepEqual(world.state(A), ["Established"]);
    assert.equal(world.speakers.get(A)!.peers()[0]!.holdTimeSeconds, 9);
    await world.advance(8 * SECOND);
    assert.deepEqual(world.state(A), ["Established"]);
    await world.advance(2 * SECOND);
    assert.deepEqual(world.state(A), ["Active"]);
    assert.equal(received.at(-1), "Hold Timer Expired");
    assert.ok(received.filter((each) => each === "KEEPALIVE").length >= 3);
  });

  it("that takes no data is given up after eight minutes (RFC 9687), alive as it seems", async () => {
    const world = await alone();
    const { connection } = await talk(world, [open(), encodeKeepalive()]);
    world.network.block(ipv4(B));
    const minute = async () => {
      await world.advance(60 * SECOND);
      connection.write(encodeKeepalive());
    };
    for (let i = 0; i < 8; i++) await minute();
    assert.deepEqual(world.state(A), ["Established"]);
    for (let i = 0; i < 2; i++) await minute();
    assert.deepEqual(world.state(A), ["Active"]);
    assert.match(world.speakers.get(A)!.peers()[0]!.lastError, /Send Hold Timer Expired/);
  });

  it("with hold time 0 is never given up", async () => {
    const world = await alone();
    await talk(world, [open({ hold: 0 }), encodeKeepalive()]);
    await world.advance(10_000 * SECOND);
    assert.deepEqual(world.state(A), ["Established"]);
  });

  it("that comes back without having kept forwarding loses its routes at once", async () => {
    const world = await alone();
    const session = [
      open({ capabilities: [multiprotocol, restart(true)] }),
      encodeKeepalive(),
      Uint8Array.from([
        ...new Array(16).fill(0xff),
        0,
        41,
        2,
        0,
        0,
        0,
        14,
        0x40,
        1,
        1,
        0,
        0x40,
        2,
        0,
        0x40,
        3,
        4,
        10,
        0,
        0,
        2,
        24,
        10,
        9,
        9,
      ]),
      encodeEndOfRib("ipv4-unicast"),
    ];
    const first = await talk(world, session);
    assert.deepEqual(world.routes(A), ["10.9.9.0/24"]);
    assert.equal(world.speakers.get(A)!.peers()[0]!.endOfRib, true);
    first.connection.destroy();
    await world.advance(100);
    assert.deepEqual(world.routes(A), ["10.9.9.0/24 stale"]);
    await talk(world, [open({ capabilities: [multiprotocol, restart(false)] }), encodeKeepalive()]);
    assert.deepEqual(world.state(A), ["Established"]);
    assert.deepEqual(world.routes(A), []);
  });

  it("that sends rubbish is answered, and can come back", async () => {
    const world = await alone();
    const { received } = await talk(world, [new Uint8Array(30)]);
    assert.equal(received.at(-1), "Message Header Error / Connection Not Synchronized");
    await talk(world, [open(), encodeKeepalive()]);
    assert.deepEqual(world.state(A), ["Established"]);
  });

  it("without graceful restart counts as converged after two silent seconds", async () => {
    const world = await alone();
    await talk(world, [open(), encodeKeepalive()]);
    assert.equal(world.speakers.get(A)!.converged(), false);
    await world.advance(2 * SECOND);
    assert.equal(world.speakers.get(A)!.converged(), true);
  });

  it("from an unknown address is refused", async () => {
    const world = new World();
    await world.start(A, [C]);
    const { received } = await talk(world, []);
    assert.deepEqual(received, ["Cease / Connection Rejected"]);
  });
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
    const peers = { [B]: { holdTimeSeconds: 30 } };
    world.speakers.get(A)!.configure(world.config(A, [B], { peers }));
    await world.advance(10 * SECOND);
    assert.equal(world.speakers.get(A)!.peers()[0]!.holdTimeSeconds, 30);
    assert.equal(world.routes(A).length, 2);
  });

  it("that is the same sends nothing", async () => {
    const world = await pair();
    world.events.length = 0;
    world.speakers.get(A)!.configure(world.config(A, [B], { originate: ["10.1.0.0/26"] }));
    await world.advance(SECOND);
    assert.deepEqual(world.events, []);
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
  it("an AS does not take back its own routes", async () => {
    assert.deepEqual(await chain([1, 2, 1]), []);
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
