/** Where a speaker listens, changed while it runs: over real sockets, and where they cannot be had. */

import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { afterEach, describe, it } from "node:test";
import { FakeClock, formatAddress, ipAddress, systemClock } from "../lib/index.ts";
import { type Log, silentLog } from "../lib/log/index.ts";
import { Listening } from "./listening.ts";
import { type Connection, nodeTransport, type Transport } from "./session/index.ts";
import { A, B, pair, SECOND } from "./testing/simulated-world.ts";
import type { ListenConfig } from "./types.ts";

const PORT = 21_279;
const at = (...addresses: string[]): ListenConfig => ({
  port: PORT,
  addresses: addresses.map(ipAddress),
});
const everywhere: ListenConfig = { port: PORT };

function place({ addresses, port, device }: ListenConfig): string {
  return [addresses?.map(formatAddress).join(" ") ?? "all", port, device ?? ""].join(" ").trim();
}

/** Tells what is opened and closed, in order. */
function watched(transport: Transport, events: string[]): Transport {
  return {
    ...transport,
    listen: async (options, onConnection) => {
      const listener = await transport.listen(options, onConnection);
      events.push(`open ${place(options)}`);
      const close = () => {
        events.push(`close ${place(options)}`);
        listener.close();
      };
      return { ...listener, close };
    },
  };
}

describe("listening places on real sockets", () => {
  const events: string[] = [];
  const accepted: Connection[] = [];
  const listening = new Listening({
    ...{ clock: systemClock, log: silentLog, transport: watched(nodeTransport, events) },
    passwords: () => new Map(),
    onConnection: (connection) => {
      accepted.push(connection);
      connection.setHandlers({
        onConnect: () => undefined,
        onData: (bytes) => void connection.write(bytes),
        onDrain: () => undefined,
        onClose: () => undefined,
      });
    },
  });
  const sockets: Socket[] = [];
  afterEach(() => {
    listening.close();
    for (const each of [...accepted.splice(0), ...sockets.splice(0)]) each.destroy();
    events.length = 0;
  });

  /** Connects and has a byte sent back. */
  async function answers(host = "127.0.10.1", socket = connect({ host, port: PORT })) {
    sockets.push(socket);
    socket.write("x");
    return new Promise<boolean>((resolve) => {
      socket.once("data", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
  }

  // Most of these pairs cover the same address: without sharing, one is refused beside the other.
  const lo = { device: "lo" };
  const changes: readonly [string, from: ListenConfig[], to: ListenConfig[], string[]][] = [
    ["from one address to every address", [at("127.0.10.1")], [everywhere], []],
    ["from every address to one", [everywhere], [at("127.0.10.1")], []],
    ["from no device to one", [at("127.0.10.1")], [{ ...at("127.0.10.1"), ...lo }], []],
    ["from a device to none", [{ ...everywhere, ...lo }], [everywhere], []],
    ["to more addresses", [at("127.0.10.1")], [at("127.0.10.1", "127.0.10.2")], ["127.0.10.2"]],
  ];
  for (const [name, from, to, more] of changes) {
    it(`${name}: nobody is refused meanwhile, and what came in before stays`, async (t) => {
      if (process.getuid?.() !== 0) return t.skip("SO_BINDTODEVICE needs root");
      await listening.open(from);
      const old = connect({ host: "127.0.10.1", port: PORT });
      assert.ok(await answers("127.0.10.1", old));
      let done = false;
      const asking = (async () => {
        let asked = 0;
        for (; !done || asked < 20; asked++) assert.ok(await answers(), `refused after ${asked}`);
      })();
      const known = events.length;
      listening.set(to);
      const settled = () =>
        events.length > known && (more.length > 0 || /^close/.test(events.at(-1)!));
      while (!settled()) await new Promise<void>((resolve) => systemClock.schedule(1, resolve));
      done = true;
      await asking;
      for (const host of more) assert.ok(await answers(host));
      assert.ok(await answers("127.0.10.1", old));
      const opened = events.findLastIndex((event) => event.startsWith("open"));
      const closed = events.findIndex((event) => event.startsWith("close"));
      assert.ok(closed === -1 || opened < closed, events.join(", "));
    });
  }

  it("once changed does not share its port with anybody", async () => {
    await listening.open([at("127.0.10.1")]);
    listening.set([everywhere]);
    while (events.length < 3)
      await new Promise<void>((resolve) => systemClock.schedule(1, resolve));
    const options = { port: PORT, passwords: new Map(), shared: true };
    await assert.rejects(
      nodeTransport.listen(options, () => undefined),
      /Address already in use/,
    );
  });
});

describe("listening places that cannot be had", () => {
  function bench() {
    const clock = new FakeClock();
    const events: string[] = [];
    const lines: string[] = [];
    const bad = new Set<number>();
    const transport: Transport = {
      dial: () => assert.fail("nobody dials"),
      listen: async (options) => {
        if (bad.has(options.port)) throw new Error(`no port ${options.port}`);
        const name = place(options);
        events.push(`+${name}`);
        const close = () => void events.push(`-${name}`);
        return {
          setPasswords: () => undefined,
          share: () => undefined,
          drain: () => undefined,
          close,
        };
      },
    };
    const log = {
      ...silentLog,
      error: (fields: object) => void lines.push(JSON.stringify(fields)),
    };
    const listening = new Listening({
      ...{ clock, log: log as Log, transport },
      passwords: () => new Map(),
      onConnection: () => undefined,
    });
    return { clock, events, lines, bad, listening };
  }
  const ports = (...numbers: number[]) => numbers.map((port) => ({ port }));

  it("at the start are told, and none is kept", async () => {
    const { events, bad, listening } = bench();
    bad.add(3);
    await assert.rejects(listening.open(ports(1, 3)), /no port 3/);
    assert.deepEqual(events, ["+all 1", "-all 1"]);
  });

  it("later leave the old ones as they are, are told, and are tried until they can be had", async () => {
    const { clock, events, lines, bad, listening } = bench();
    await listening.open(ports(1, 2));
    bad.add(4);
    listening.set(ports(1, 3, 4));
    await clock.advance(0);
    assert.deepEqual(events.splice(0), ["+all 1", "+all 2", "+all 3", "-all 3"]);
    assert.match(lines[0]!, /"no port 4","listening":\["every address port 1",/);
    assert.deepEqual(listening.problems, [
      "not listening at every address port 1, every address port 3, every address port 4, but still at every address port 1, every address port 2: no port 4",
    ]);
    await clock.advance(60 * SECOND);
    assert.ok(lines.length > 2 && lines.length < 10, `${lines.length} lines`);
    bad.clear();
    events.length = 0;
    await clock.advance(30 * SECOND);
    assert.deepEqual(events, ["+all 3", "+all 4", "-all 2"]);
    assert.deepEqual(listening.problems, []);
    assert.equal(clock.pendingTimers, 0);
  });

  it("are not tried any more when they are not wanted any more, nor after the end", async () => {
    const { clock, events, bad, listening } = bench();
    await listening.open(ports(1));
    bad.add(4);
    listening.set(ports(4));
    await clock.advance(0);
    assert.equal(listening.problems.length, 1);
    listening.set(ports(1));
    await clock.advance(0);
    assert.deepEqual(listening.problems, []);
    assert.equal(clock.pendingTimers, 0);
    listening.set(ports(4));
    listening.close();
    await clock.advance(60 * SECOND);
    assert.deepEqual(events, ["+all 1", "-all 1"]);
    assert.equal(clock.pendingTimers, 0);
  });

  it("wanted again while they are closed are opened again, and at the end nothing is left", async () => {
    const { clock, events, listening } = bench();
    await listening.open(ports(1));
    listening.set(ports(2));
    await clock.advance(100);
    listening.set(ports(1));
    await clock.advance(0);
    assert.deepEqual(events.splice(0), ["+all 1", "+all 2", "+all 1"]);
    listening.close();
    assert.deepEqual(events, ["-all 1", "-all 1", "-all 2"]);
    assert.equal(clock.pendingTimers, 0);
  });

  it("changed while they are opened end where they are wanted last", async () => {
    const { clock, events, listening } = bench();
    await listening.open(ports(1));
    listening.set(ports(2));
    listening.set(ports(3));
    await clock.advance(SECOND);
    assert.deepEqual(events, ["+all 1", "+all 2", "+all 3", "-all 1", "-all 2"]);
  });
});

describe("a speaker whose listening port changes", () => {
  it("keeps its sessions, and is found at the new port afterwards", async () => {
    const world = await pair({ peers: { [B]: { passive: true } } });
    const [before] = world.speakers.get(A)!.peers();
    const config = world.config(A, [B], { peers: { [B]: { passive: true } } });
    world.speakers.get(A)!.configure({ ...config, listen: [{ port: 1790 }] });
    await world.advance(SECOND);
    assert.equal(world.speakers.get(A)!.peers()[0]?.sinceMs, before?.sinceMs);
    world.kill(B);
    await world.start(B, [A], { peers: { [A]: { port: 1790 } } });
    await world.advance(10 * SECOND);
    assert.deepEqual(world.state(A), ["Established"]);
  });
});
