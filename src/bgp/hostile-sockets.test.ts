/**
 * What a real kernel adds: ten thousand connections of strangers, and a storm of a million changes
 * that all goes on to another peer.
 */

import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { formatAddress, ipv4, systemClock } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import { type PeerConfig, Speaker, type SpeakerConfig } from "./index.ts";
import { announcement, openMessage, withdrawal } from "./testing/scripted-peer.ts";
import { encodeKeepalive } from "./wire/index.ts";

const PORT = 22_179;
const OURS = "127.0.2.1";
const FRIEND = "127.0.2.2";
const STORM = "127.0.2.3";

/** So that all that one says is told to the others. */
const asOf = (address: string) => 64512 + Number(address.at(-1));

function configOf(address: string, peers: readonly PeerConfig[]): SpeakerConfig {
  return {
    localAs: asOf(address),
    routerId: ipv4(address),
    listen: [{ addresses: [ipv4(address)], port: PORT }],
    peers,
    originate: [],
  };
}

function speaker(address: string, peers: readonly PeerConfig[]): Speaker {
  const config = configOf(address, peers);
  return new Speaker({ clock: systemClock, log: silentLog, config });
}

function peer(local: string, remote: string, passive = false): PeerConfig {
  return {
    ...{ name: remote, address: ipv4(remote), port: PORT, localAddress: ipv4(local) },
    ...{ remoteAs: asOf(remote), passive, holdTimeSeconds: 9 },
  };
}

function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const endMs = systemClock.monotonicMs() + 60_000;
  while (!condition()) {
    assert.ok(systemClock.monotonicMs() < endMs, `not in time: ${what}`);
    await new Promise<void>((resolve) => systemClock.schedule(5, resolve));
  }
}

const openSockets = () =>
  process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;

describe("a speaker on a hostile network", () => {
  const ourPeers = [FRIEND, STORM].map((name) => peer(OURS, name, true));
  let ours: Speaker;
  let friend: Speaker;
  let since: number | undefined;
  let friendSince: number | undefined;
  const friendly = () => ours.peers().find(({ address }) => address === ipv4(FRIEND));

  before(async () => {
    ours = speaker(OURS, ourPeers);
    friend = speaker(FRIEND, [peer(FRIEND, OURS)]);
    await ours.start();
    await friend.start();
    await until("a session", () => friendly()?.state === "Established");
    await until("its other end", () => friend.peers()[0]?.state === "Established");
    since = friendly()?.sinceMs;
    friendSince = friend.peers()[0]?.sinceMs;
  });
  after(async () => {
    await ours.stop();
    await friend.stop();
  });

  it("refuses ten thousand connections of strangers, keeps none and loses no session", async () => {
    const before = openSockets();
    let left = 10_000;
    let closed = 0;
    const stranger = async (number: number) => {
      while (left-- > 0) {
        const socket = connect({
          ...{ host: OURS, port: PORT, localAddress: `127.0.3.${number}` },
        });
        // Something to parse, if it were read.
        socket.write(openMessage());
        socket.on("error", () => undefined);
        socket.resume();
        await new Promise<void>((resolve) => socket.once("close", () => resolve()));
        closed++;
      }
    };
    await Promise.all(Array.from({ length: 100 }, (_, index) => stranger(index + 1)));
    assert.equal(closed, 10_000);
    await until("no socket is left", () => openSockets() <= before);
    assert.equal(friendly()?.sinceMs, since);
    assert.equal(ours.peers()[1]?.lastError, "");
  });

  it("takes a million changes of a peer, with bounded memory, and loses no session", async () => {
    const prefixes = Array.from({ length: 800 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
    /** Each with attributes of its own. */
    const storm = (med: number) => {
      const asPath = [{ kind: "sequence" as const, asns: [asOf(STORM)] }];
      const routes = announcement(prefixes, { med, asPath, nextHop: ipv4(STORM) });
      return Buffer.concat([routes, withdrawal(prefixes)]);
    };
    let changes = 0;
    ours.onRoutes((batch) => {
      changes += batch.length;
    });
    const socket: Socket = connect({ host: OURS, port: PORT, localAddress: STORM });
    const write = (bytes: Uint8Array) =>
      socket.write(bytes) ? undefined : new Promise((resolve) => socket.once("drain", resolve));
    await write(openMessage({ hold: 9, id: ipv4(STORM), as: asOf(STORM) }));
    await write(encodeKeepalive());
    const beforeBytes = process.memoryUsage.rss();
    const heapBefore = heapBytes();
    for (let sent = 0; sent < 1_000_000; sent += 2 * prefixes.length) {
      await write(storm(sent));
      if (sent % 100_000 < 1600) await write(encodeKeepalive());
    }
    const last = storm(1).subarray(0, -withdrawal(prefixes).length);
    await write(last);
    const stormy = () => ours.peers().find(({ address }) => address === ipv4(STORM));
    await until("all is taken", () => stormy()?.routesReceived === prefixes.length);
    await until("all is told", () => ours.routes().length === prefixes.length);
    await until("all is told on", () => friend.routes().length === prefixes.length);
    const grownBytes = process.memoryUsage.rss() - beforeBytes;
    assert.ok(changes > 0);
    assert.ok(grownBytes < 200e6, `${(grownBytes / 1e6).toFixed(0)} MB more`);
    assert.equal(stormy()?.state, "Established", `${formatAddress(ipv4(STORM))}`);
    assert.equal(friendly()?.sinceMs, since);
    await write(withdrawal(prefixes));
    await until("the friend knows none of it", () => friend.routes().length === 0);
    assert.deepEqual(friend.peers()[0]?.sinceMs, friendSince);
    socket.destroy();
    const keptBytes = heapBytes() - heapBefore;
    assert.ok(keptBytes < 20e6, `${(keptBytes / 1e6).toFixed(1)} MB kept`);
  });
});
