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
    listen: [{ addresses: [ipv4(address)], port: PORT }],
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

describe("two speakers over real sockets", () => {
  it("keep the routes of one that is gone without a word, and lose none when it is back", async () => {
    const a = await run(config(A, { peers: [peer(A, B)] }));
    const forB = config(B, { peers: [peer(B, A)], originate: originate("10.2.0.0/26") });
    const b = await run(forB);
    await until("both converged", () => a.converged() && b.converged());
    let lost = 0;
    a.onRoutes((changes) => {
      for (const { best } of changes) if (best === undefined) lost++;
    });
    await b.stop();
    await until("A notices", () => a.peers()[0]?.gracefulRestart === true);
    assert.deepEqual(learned(a), ["10.2.0.0/26 stale"]);
    const again = await run(forB);
    await until("both converged again", () => a.converged() && again.converged());
    assert.deepEqual(learned(a), ["10.2.0.0/26"]);
    assert.equal(lost, 0);
  });

  it("tell each other of a wrong AS", async () => {
    const a = await run(config(A, { peers: [peer(A, B, { passive: true })] }));
    const b = await run(config(B, { localAs: 65000, peers: [peer(B, A)] }));
    await until("B is told", () => b.peers()[0]?.lastError.includes("Bad Peer AS") === true);
    assert.equal(
      b.peers()[0]?.lastError,
      "received OPEN Message Error / Bad Peer AS: we told AS 65000, and have AS 64512 configured for the peer",
    );
    assert.match(a.peers()[0]!.lastError, /AS 65000 where 64512 is configured/);
    assert.equal(a.peers()[0]?.state, "Active");
  });

  it("show why a dial fails", async () => {
    const a = await run(config(A, { peers: [peer(A, B)] }));
    await until("a dial failed", () => a.peers()[0]?.lastError.includes("ECONNREFUSED") === true);
    assert.match(a.peers()[0]!.state, /Active|Connect/);
  });

  it("with one password are a session, and stay one while the password changes", async () => {
    const forA = (password?: string) =>
      config(A, { peers: [peer(A, B, { passive: true, ...(password && { password }) })] });
    const forB = (password?: string) =>
      config(B, { peers: [peer(B, A, password ? { password } : {})] });
    const a = await run(forA("one"));
    const b = await run(forB("other"));
    const quietMs = systemClock.monotonicMs() + 300;
    await until("time passed", () => systemClock.monotonicMs() > quietMs);
    assert.match(b.peers()[0]!.state, /Connect|Active/);
    b.configure(forB("one"));
    await until("both converged", () => a.converged() && b.converged());
    const since = [a, b].map((speaker) => speaker.peers()[0]!.sinceMs);
    for (const password of ["two", undefined, "three"]) {
      a.configure(forA(password));
      b.configure({
        ...forB(password),
        originate: originate(`10.9.${password?.length ?? 0}.0/24`),
      });
      await until(`a route with password ${password}`, () =>
        learned(a).includes(`10.9.${password?.length ?? 0}.0/24`),
      );
    }
    assert.deepEqual(
      [a, b].map((speaker) => speaker.peers()[0]!.sinceMs),
      since,
    );
  });

  it("with TTL security are a session; from farther away there is none", async () => {
    const hops = { ttlSecurityHops: 1 };
    const a = await run(config(A, { peers: [peer(A, B, { passive: true, ...hops })] }));
    const b = await run(config(B, { peers: [peer(B, A, { ttl: 254 })] }));
    await until("B is refused", () => b.peers()[0]?.lastError !== "");
    assert.equal(a.peers()[0]?.state, "Active");
    b.configure(config(B, { peers: [peer(B, A, hops)] }));
    await until("both converged", () => a.converged() && b.converged());
  });

  it("listen elsewhere from now on, and peers find them", async () => {
    const a = await run(config(A, { peers: [peer(A, B, { passive: true })] }));
    const forB = (port: number) => config(B, { peers: [peer(B, A, { port })] });
    const b = await run(forB(PORT + 1));
    await until("B is refused", () => b.peers()[0]?.lastError.includes("ECONNREFUSED") === true);
    const addresses = [ipv4(A)];
    a.configure({
      ...config(A, { peers: [peer(A, B, { passive: true })] }),
      listen: [
        { addresses, port: PORT },
        { addresses, port: PORT + 1 },
      ],
    });
    await until("a session on the new port", () => b.peers()[0]?.state === "Established");
    b.configure(forB(PORT));
    await until("a session on the old port", () => b.peers()[0]?.state === "Established");
  });

  it("refuse connections from elsewhere", async () => {
    await run(config(A, { peers: [] }));
    const b = await run(config(B, { peers: [peer(B, A)] }));
    await until("B is refused", () => {
      return b.peers()[0]?.lastError === "received Cease / Connection Rejected";
    });
  });

  it("report a port that is taken", async () => {
    await run(config(A, { peers: [] }));
    await assert.rejects(
      run(config(A, { peers: [] })),
      /cannot listen for BGP on 127\.0\.1\.1 port/,
    );
  });

  it("exchange fifty thousand routes while the event loop stays free", async () => {
    const texts = Array.from({ length: 50_000 }, (_, index) => {
      return `${10 + (index >>> 18)}.${(index >>> 10) & 255}.${(index >>> 2) & 255}.${(index & 3) * 64}/26`;
    });
    const a = await run(config(A, { peers: [peer(A, B)] }));
    const b = await run(config(B, { peers: [peer(B, A)], originate: originate(...texts) }));
    // Processor time, because the machine has other things to do as well.
    const cpuMs = () => process.cpuUsage().user / 1000;
    let longestMs = 0;
    let lastMs = cpuMs();
    let batches = 0;
    a.onRoutes(() => batches++);
    await until(
      "all learned",
      () => {
        const nowMs = cpuMs();
        longestMs = Math.max(longestMs, nowMs - lastMs);
        lastMs = nowMs;
        return a.converged() && (a.peers()[0]?.routesReceived ?? 0) === texts.length;
      },
      30_000,
    );
    assert.ok(batches <= 5000, `${batches} batches`);
    // Two speakers share this loop, 5 ms a slice, and the collector's threads count too.
    assert.ok(longestMs < 150, `the event loop was held for ${longestMs.toFixed(0)} ms`);
    await until("B counts them", () => b.peers()[0]?.routesSent === texts.length);
  });
});
