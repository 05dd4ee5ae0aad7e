/** What is told of a peer: counts that agree with the other side's, ends in words, last messages. */

import assert from "node:assert/strict";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { ipv4, prefix } from "../lib/index.ts";
import { createLog } from "../lib/log/index.ts";
import { Speaker } from "./speaker.ts";
import { alone, announcement, openMessage, talk } from "./testing/scripted-peer.ts";
import { A, B, pair, SECOND, World } from "./testing/simulated-world.ts";
import type { KeptMessage, PeerDetails } from "./types.ts";
import { encodeKeepalive, messageTypeName } from "./wire/index.ts";

const detailsOf = (world: World, address: string): PeerDetails =>
  world.speakers.get(address)!.details()[0]!;
const endsOf = (world: World, address: string) =>
  detailsOf(world, address).ends.map(
    ({ by, from, times, reason }) => `${times} ${by} ${from}: ${reason}`,
  );
const shown = (messages: readonly KeptMessage[]) =>
  messages.map(({ sent, bytes }) => `${sent ? ">" : "<"}${messageTypeName(bytes[18]!)}`);

describe("details of a peer", () => {
  it("count what the other side counts, and tell what was agreed on", async () => {
    const world = await pair({ peers: { [B]: { passive: true } } });
    await world.advance(100 * SECOND);
    const a = detailsOf(world, A);
    const b = detailsOf(world, B);
    assert.deepEqual(a.received, b.sent);
    assert.deepEqual(b.received, a.sent);
    assert.equal(a.received.open, 1);
    assert.ok(a.received.keepalive >= 2 && a.received.bytes > 29 + 2 * 19);
    assert.deepEqual(
      [a.established, a.routesReceived, a.routesAccepted, b.routesAccepted],
      [1, 2, 2, 1],
    );
    assert.equal(a.session?.peerType, "ibgp");
    assert.ok(a.session?.capabilities.includes("graceful restart after NOTIFICATION"));
    assert.ok(a.lastReceivedMs > world.clock.now() - 80 * SECOND);
    assert.deepEqual(world.speakers.get(A)!.details("nobody"), []);
  });

  it("count what is told and is no candidate", async () => {
    const world = await pair({
      peers: {
        [B]: {
          importPolicy: [{ prefixes: [{ prefix: prefix("10.2.1.0/24") }], action: "reject" }],
        },
      },
    });
    const { routesReceived, routesAccepted } = detailsOf(world, A);
    assert.deepEqual([routesReceived, routesAccepted], [2, 1]);
    world.speakers.get(A)!.configure(world.config(A, [B], {}));
    await world.advance(SECOND);
    assert.equal(detailsOf(world, A).routesAccepted, 2);
  });

  it("tell the last ends in words, from both sides, with how often", async () => {
    const world = await pair();
    await world.advance(60 * SECOND);
    await world.speakers.get(B)!.stop({ notify: true, message: "new disk" });
    await world.advance(60 * SECOND);
    const [attempts, end] = endsOf(world, A);
    assert.match(
      attempts!,
      /^\d+ peer Connect: nobody listens at|^\d+ network Connect: connection refused/,
    );
    assert.equal(
      end,
      '1 peer Established: received Cease / Hard Reset: Cease / Administrative Shutdown: "new disk"',
    );
    const { ends, endCounts, established } = detailsOf(world, A);
    assert.equal(established, 1);
    assert.deepEqual(endCounts, [
      { by: "peer", name: "Cease / Administrative Shutdown", count: 1 },
    ]);
    assert.ok(ends[1]!.establishedMs! >= 60 * SECOND);
    assert.ok(ends[0]!.times > 3 && ends[0]!.firstMs < ends[0]!.atMs);
    assert.equal(ends.length, 2);
  });

  it("are in the log too: a session that never was once for each way to fail", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "switchyard-peer-")), "log");
    const log = createLog({ level: "warn", fd: openSync(path, "w") });
    const world = new World();
    const { clock } = world;
    const transport = world.network.transport(ipv4(A));
    const speaker = new Speaker({ clock, log, config: world.config(A, [B], {}), transport });
    await speaker.start();
    await world.advance(300 * SECOND);
    const lines = () =>
      readFileSync(path, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line))
        .map(({ peer, msg, reason }) => `${peer} ${msg}: ${reason}`);
    const refused = `${B} no session: connection refused`;
    assert.deepEqual(lines(), [refused]);
    await world.start(B, [A]);
    await world.advance(60 * SECOND);
    world.kill(B);
    await world.advance(300 * SECOND);
    const ended = `${B} session ended: the peer closed the connection`;
    assert.deepEqual(lines(), [refused, ended, refused]);
    await speaker.stop();
    rmSync(dirname(path), { recursive: true });
  });

  it("name what was changed where a change of the configuration ended a session", async () => {
    const world = await pair();
    const peers = { [B]: { holdTimeSeconds: 30 } };
    world.speakers.get(A)!.configure(world.config(A, [B], { peers, originate: ["10.1.0.0/26"] }));
    await world.advance(5 * SECOND);
    assert.deepEqual(endsOf(world, A), [
      "1 us Established: configuration changed (holdTimeSeconds): sent Cease / Other Configuration Change",
    ]);
    assert.deepEqual(endsOf(world, B), [
      "1 peer Established: received Cease / Other Configuration Change",
    ]);
    assert.equal(detailsOf(world, A).established, 2);
  });

  it("name the change of who is a client", async () => {
    const world = await pair();
    const peers = { [B]: { routeReflectorClient: true } };
    world.speakers.get(A)!.configure(world.config(A, [B], { peers, originate: ["10.1.0.0/26"] }));
    await world.advance(5 * SECOND);
    assert.match(endsOf(world, A)[0]!, /configuration changed \(routeReflectorClient\)/);
  });

  it("name the password where nothing came since it was changed", async () => {
    const world = await pair({ peers: { [B]: { holdTimeSeconds: 9 } } });
    const peers = { [B]: { holdTimeSeconds: 9, password: "new" } };
    world.speakers.get(A)!.configure(world.config(A, [B], { peers, originate: ["10.1.0.0/26"] }));
    world.silence(B);
    await world.advance(11 * SECOND);
    const ends = endsOf(world, A).filter((end) => end.includes("Established"));
    assert.match(
      ends[0]!,
      /no whole message came for 9\.\d s .*; our password \(TCP MD5\) was changed since$/,
    );
  });

  it("have no more than ten ends, and those of sessions are not pushed out by attempts", async () => {
    const world = await alone();
    for (let i = 0; i < 12; i++) {
      const peer = await talk(world, [openMessage(), encodeKeepalive()]);
      peer.connection.destroy();
      await world.advance(40 * SECOND);
    }
    for (let i = 0; i < 5; i++) {
      await talk(world, [openMessage({ as: 7 })]);
      await world.advance(40 * SECOND);
    }
    const ends = endsOf(world, A);
    assert.equal(ends.length, 10);
    assert.match(
      ends[0]!,
      /^5 us OpenSent: sent OPEN Message Error \/ Bad Peer AS: AS 7 where 64512/,
    );
    assert.equal(ends[1], "1 peer Established: the peer closed the connection");
  });
});

describe("last messages of a peer", () => {
  it("are there as they were on the wire, in both directions", async () => {
    const world = await alone();
    const told = announcement(["10.9.0.0/24"]);
    await talk(world, [openMessage(), encodeKeepalive(), told]);
    const messages = world.speakers.get(A)!.messages(B);
    assert.deepEqual(shown(messages), [
      ...[">OPEN", "<OPEN", ">KEEPALIVE", "<KEEPALIVE", "<UPDATE", ">UPDATE"],
    ]);
    const update = messages.find(({ sent, bytes }) => !sent && bytes[18] === 2);
    assert.deepEqual(update?.bytes, told);
    assert.deepEqual(
      [update?.connection.incoming, update?.connection.reading.fourOctetAs],
      [true, false],
    );
    assert.throws(() => world.speakers.get(A)!.messages("nobody"), /no BGP peer is named nobody/);
  });

  it("are bounded, but for the OPENs of the connection", async () => {
    const world = await alone();
    world.speakers.get(A)!.configure({
      ...world.config(A, [B], { peers: { [B]: { passive: true } } }),
      keptMessageBytes: 1,
    });
    const many = Array.from({ length: 2000 }, () => encodeKeepalive());
    await talk(world, [openMessage(), encodeKeepalive(), ...many]);
    const messages = world.speakers.get(A)!.messages(B);
    assert.deepEqual(shown(messages.slice(0, 3)), [">OPEN", "<OPEN", "<KEEPALIVE"]);
    const bytes = messages.reduce((sum, one) => sum + one.bytes.length, 0);
    assert.ok(bytes < 16 * 1024 && bytes > 4 * 1024, `${bytes} bytes`);
  });

  it("are not kept where that is switched off, also later", async () => {
    const world = await alone();
    await talk(world, [openMessage(), encodeKeepalive()]);
    world.speakers.get(A)!.configure({
      ...world.config(A, [B], { peers: { [B]: { passive: true } } }),
      keptMessageBytes: 0,
    });
    assert.deepEqual(world.speakers.get(A)!.messages(B), []);
    await talk(world, [openMessage(), encodeKeepalive()]);
    assert.deepEqual(world.speakers.get(A)!.messages(B), []);
    assert.ok(detailsOf(world, A).received.open >= 2);
  });
});
