/** Two or three speakers in this process over loopback: sessions, routes, graceful restart, errors. */

import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { formatPrefix, type Ipv4, ipv4, prefix, systemClock } from "../lib/index.ts";
import { silentLog } from "../lib/log/index.ts";
import { type PeerConfig, Speaker, type SpeakerConfig } from "./index.ts";

const PORT = 20179;
const running = new Set<Speaker>();

afterEach(async () => {
  for (const speaker of running) await speaker.stop();
  running.clear();
});

/** Polls until the condition holds. @throws after the deadline, naming what was awaited. */
async function until(what: string, condition: () => boolean, deadlineMs = 10_000): Promise<void> {
  const endMs = systemClock.monotonicMs() + deadlineMs;
  while (!condition()) {
    assert.ok(systemClock.monotonicMs() < endMs, `not in time: ${what}`);
    await new Promise<void>((resolve) => systemClock.schedule(5, resolve));
  }
}

function config(
  address: string,
  parts: Partial<SpeakerConfig> & { peers: readonly PeerConfig[] },
): SpeakerConfig {
  return {
    localAs: 64512,
    routerId: ipv4(address),
    listen: { address: ipv4(address), port: PORT },
    originate: [],
    ...parts,
  };
}

function peer(local: string, remote: string, parts: Partial<PeerConfig> = {}): PeerConfig {
  return {
    name: remote,
    address: ipv4(remote),
    port: PORT,
    localAddress: ipv4(local),
    remoteAs: 64512,
    ...parts,
  };
}

async function run(speakerConfig: SpeakerConfig): Promise<Speaker> {
  const speaker = new Speaker({ clock: systemClock, log: silentLog, config: speakerConfig });
  running.add(speaker);
  await speaker.start();
  return speaker;
}

function originate(...texts: string[]): SpeakerConfig["originate"] {
  return texts.map((text) => ({ prefix: prefix(text) }));
}

function learned(speaker: Speaker): string[] {
  return speaker
    .routes()
    .map((route) => `${formatPrefix(route.prefix)}${route.stale ? " stale" : ""}`)
    .sort();
}

const A = "127.0.1.1";
const B = "127.0.1.2";

describe("two speakers", () => {
  it("establish, exchange routes and End-of-RIB, follow changes", async () => {
    const a = await run(config(A, { peers: [peer(A, B)], originate: originate("10.1.0.0/26") }));
    const b = await run(config(B, { peers: [peer(B, A)], originate: originate("10.2.0.0/26") }));
    await until("both converged", () => a.converged() && b.converged());
    assert.deepEqual(learned(a), ["10.2.0.0/26"]);
    assert.deepEqual(learned(b), ["10.1.0.0/26"]);
    const [route] = a.routes();
    assert.equal(route?.nextHop, ipv4(B) as Ipv4);
    assert.equal(route?.peerType, "ibgp");
    const [status] = a.peers();
    assert.equal(status?.state, "Established");
    assert.equal(status?.routesReceived, 1);
    assert.equal(status?.routesSent, 1);
    assert.equal(status?.holdTimeSeconds, 240);

    const changes: string[] = [];
    a.onRoutes((batch) => {
      for (const { prefix: changed, best } of batch) {
        changes.push(`${best ? "+" : "-"}${formatPrefix(changed)}`);
      }
    });
    b.configure(
      config(B, { peers: [peer(B, A)], originate: originate("10.2.0.64/26", "10.2.1.0/24") }),
    );
    await until("changes seen", () => changes.length === 3);
    assert.deepEqual(changes.sort(), ["+10.2.0.64/26", "+10.2.1.0/24", "-10.2.0.0/26"]);
    assert.equal(b.peers()[0]?.state, "Established");
  });
});
