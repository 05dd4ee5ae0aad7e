/** BFD sessions with their timers, between two ends on a clock moved by hand. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock, type IpAddress, ipAddress } from "../../lib/index.ts";
import { silentLog } from "../../lib/log/index.ts";
import { MemoryBfd } from "../testing/memory-bfd.ts";
import type { BfdConfig } from "../types.ts";
import { Bfd, type BfdDown, type BfdWatch } from "./bfd.ts";
import { type BfdPacket, decodeBfd, encodeBfd } from "./packet.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";
const config: BfdConfig = { minimumTransmitMs: 100, minimumReceiveMs: 100, detectMultiplier: 3 };

interface End {
  readonly watch: BfdWatch;
  readonly downs: BfdDown[];
  /** When its state changed, and to what. */
  readonly states: string[];
}

class Link {
  readonly clock = new FakeClock();
  readonly startMs = this.clock.now();
  readonly network = new MemoryBfd(this.clock);
  readonly speakers = new Map<string, Bfd>();
  #random = 1;

  watch(own: string, other: string, change: BfdConfig = {}): End {
    const downs: BfdDown[] = [];
    const states: string[] = [];
    const { clock, network: transport } = this;
    let bfd = this.speakers.get(own);
    if (bfd === undefined) {
      bfd = new Bfd({ clock, log: silentLog, transport, random: () => this.#next() });
      this.speakers.set(own, bfd);
    }
    const watch: BfdWatch = bfd.watch({
      path: { address: ipAddress(other), localAddress: ipAddress(own) },
      config: { ...config, ...change },
      onDown: (down) => void downs.push(down),
      onStatus: () => void states.push(watch.status().state),
    });
    return { watch, downs, states };
  }

  /** Random enough, and the same each time. */
  #next(): number {
    this.#random = (this.#random * 48_271) % 0x7fffffff;
    return this.#random / 0x7fffffff;
  }

  cut(...directions: string[]): void {
    for (const each of directions) this.network.cut.add(each);
  }

  sentBy(own: string, sinceMs: number): BfdPacket[] {
    return this.network.sent
      .filter(({ from, atMs }) => from === own && atMs >= sinceMs)
      .map(({ bytes }) => (decodeBfd(bytes) as { packet: BfdPacket }).packet);
  }
}

async function upLink(change: BfdConfig = {}): Promise<Link & { a: End; b: End }> {
  const link = new Link();
  const a = link.watch(A, B, change);
  const b = link.watch(B, A);
  await link.clock.advance(5000);
  assert.deepEqual([a.watch.status().state, b.watch.status().state], ["Up", "Up"]);
  return Object.assign(link, { a, b });
}

const decodedState = (bytes: Uint8Array) =>
  (decodeBfd(bytes) as { packet: BfdPacket }).packet.state;

describe("a BFD session", () => {
  it("sends once a second while nobody answers, and comes Up within three when somebody does", async () => {
    const link = new Link();
    const a = link.watch(A, B);
    await link.clock.advance(10_000);
    const alone = link.sentBy(A, 0).length;
    assert.ok(alone >= 9 && alone <= 14, `${alone} packets`);
    const b = link.watch(B, A);
    await link.clock.advance(3000);
    assert.deepEqual([a.watch.status().state, b.watch.status().state], ["Up", "Up"]);
    assert.equal(b.states[0], "Init");
    assert.deepEqual(a.downs, []);
  });

  it("sends as often as agreed on, never later and a quarter earlier at most", async () => {
    const link = await upLink({ minimumTransmitMs: 200 });
    const fromMs = link.clock.now();
    await link.clock.advance(10_000);
    for (const [own, intervalMs] of [
      [A, 200],
      [B, 100],
    ] as const) {
      const count = link.sentBy(own, fromMs).length;
      const most = 10_000 / (intervalMs * 0.75) + 1;
      assert.ok(count >= 10_000 / intervalMs - 1 && count <= most, `${own}: ${count}`);
    }
    assert.ok(link.sentBy(A, fromMs).every(({ poll, final }) => !poll && !final));
  });

  it("has a tenth to spare where one lost packet is the end", async () => {
    const link = await upLink({ detectMultiplier: 1 });
    const fromMs = link.clock.now();
    await link.clock.advance(9000);
    assert.ok(link.sentBy(A, fromMs).length >= 9000 / 90 - 1);
    assert.deepEqual(link.b.downs, []);
  });

  it("is Down when a detection time has passed in silence, not before", async () => {
    const link = await upLink();
    link.cut(`${B}>${A}`, `${A}>${B}`);
    await link.clock.advance(190);
    assert.deepEqual(link.a.downs, []);
    await link.clock.advance(130);
    const downs: readonly BfdDown[] = link.a.downs;
    assert.equal(downs.length, 1);
    const { reason, atMs, controlPlaneIndependent } = downs[0]!;
    assert.deepEqual([reason, controlPlaneIndependent], ["BFD heard nothing for 300 ms", false]);
    assert.ok(atMs <= link.clock.now() && atMs > link.clock.now() - 130);
    assert.equal(link.a.watch.status().diagnostic, "Control Detection Time Expired");
    await link.clock.advance(60_000);
    assert.equal(link.a.downs.length, 1);
    link.network.cut.clear();
    await link.clock.advance(3000);
    assert.equal(link.a.watch.status().state, "Up");
    assert.equal(link.a.watch.status().diagnostic, "No Diagnostic");
  });

  it("is Down at both ends where one direction is dead", async () => {
    const link = await upLink();
    link.cut(`${B}>${A}`);
    await link.clock.advance(400);
    assert.match(link.a.downs[0]!.reason, /heard nothing for 300 ms/);
    assert.match(link.b.downs[0]!.reason, /^the peer's BFD does not hear us/);
    assert.equal(link.b.watch.status().diagnostic, "Neighbor Signaled Session Down");
  });

  it("outlives a packet that is lost again and again, as long as the next one comes", async () => {
    const link = await upLink();
    for (let i = 0; i < 20; i++) {
      link.cut(`${B}>${A}`);
      await link.clock.advance(98);
      link.network.cut.clear();
      await link.clock.advance(202);
    }
    assert.ok(link.network.lost >= 20, `${link.network.lost} lost`);
    assert.deepEqual([link.a.downs, link.b.downs], [[], []]);
  });

  it("that is switched off is no dead path for the other end", async () => {
    const link = await upLink();
    link.a.watch.close();
    await link.clock.advance(5000);
    assert.equal(link.b.watch.status().state, "Down");
    assert.deepEqual(link.b.downs, []);
    assert.deepEqual(link.a.downs, []);
    assert.equal(link.sentBy(A, 0).at(-1)?.state, "AdminDown");
    assert.equal(link.network.listening, 1);
    link.b.watch.close();
    assert.equal(link.network.listening, 0);
    await link.clock.advance(5000);
    assert.equal(link.clock.pendingTimers, 0);
  });

  it("changes its intervals while it is Up, and loses nothing by it", async () => {
    const link = await upLink();
    for (const change of [
      { minimumTransmitMs: 1000, minimumReceiveMs: 1000 },
      { minimumTransmitMs: 50, minimumReceiveMs: 50, detectMultiplier: 5 },
      { minimumTransmitMs: 700, minimumReceiveMs: 50 },
    ]) {
      link.a.watch.reconfigure(change);
      await link.clock.advance(20_000);
    }
    assert.deepEqual([link.a.downs, link.b.downs], [[], []]);
    const fromMs = link.clock.now();
    await link.clock.advance(7000);
    assert.ok(link.sentBy(A, fromMs).length <= 14);
    assert.ok(link.sentBy(B, fromMs).length >= 69);
  });

  it("ends with the process of the other end, and begins with its next one", async () => {
    const link = await upLink();
    link.cut(`${B}>${A}`);
    await link.clock.advance(100);
    // Another process at the same address: it knows nothing of the session.
    link.speakers.delete(B);
    link.network.cut.clear();
    link.b.watch.close();
    const again = link.watch(B, A);
    await link.clock.advance(10_000);
    assert.deepEqual([link.a.watch.status().state, again.watch.status().state], ["Up", "Up"]);
  });
});

describe("BFD packets that belong to no session", () => {
  it("change nothing: of others, of unknown discriminators, of none from strangers", async () => {
    const link = await upLink();
    const before = link.network.sent.length;
    const own = link.sentBy(A, 0).at(-1)!;
    const forged = { ...own, state: "Down" as const, poll: true, myDiscriminator: 77 };
    const send = (packet: BfdPacket, from: IpAddress) =>
      link.network.deliver(encodeBfd(packet), from, ipAddress(A));
    send({ ...forged, yourDiscriminator: 12345 }, ipAddress(B));
    send({ ...forged, yourDiscriminator: 0 }, ipAddress("10.0.0.66"));
    // It has guessed the name of a session: of another peer, and of one at another address of ours.
    const named = link.sentBy(B, 0).at(-1)!.yourDiscriminator;
    send({ ...forged, yourDiscriminator: named }, ipAddress("10.0.0.66"));
    const elsewhere = link.watch(A, "10.0.0.3");
    send({ ...forged, yourDiscriminator: named }, ipAddress("10.0.0.3"));
    elsewhere.watch.close();
    link.network.deliver(Uint8Array.of(1, 2, 3), ipAddress(B), ipAddress(A));
    const answers = link.network.sent.slice(before).filter((one) => one.from === A);
    assert.ok(answers.every(({ bytes }) => decodedState(bytes) === "AdminDown"));
    assert.deepEqual(link.a.downs, []);
  });

  it("of two peers of one address go to each its own", async () => {
    const link = await upLink();
    const c = link.watch("10.0.0.3", A);
    const toC = link.watch(A, "10.0.0.3");
    await link.clock.advance(5000);
    assert.equal(toC.watch.status().state, "Up");
    link.cut(`10.0.0.3>${A}`, `${A}>10.0.0.3`);
    await link.clock.advance(1000);
    assert.equal(toC.downs.length, 1);
    assert.equal(c.downs.length, 1);
    assert.deepEqual(link.a.downs, []);
  });
});

describe("a BFD port that is taken", () => {
  it("is tried again until it can be had", async () => {
    const link = new Link();
    link.network.refusals = 3;
    const a = link.watch(A, B);
    const b = link.watch(B, A);
    await link.clock.advance(60_000);
    assert.deepEqual([a.watch.status().state, b.watch.status().state], ["Up", "Up"]);
  });

  it("is not had any more once nobody watches", async () => {
    const link = new Link();
    link.network.refusals = 1;
    const a = link.watch(A, B);
    await link.clock.advance(10);
    a.watch.close();
    await link.clock.advance(60_000);
    assert.equal(link.network.listening, 0);
    assert.equal(link.clock.pendingTimers, 0);
  });
});
