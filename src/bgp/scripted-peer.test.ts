/** A simulated speaker against a peer that sends exactly what a test wants. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ipv4 } from "../lib/index.ts";
import {
  alone,
  announcement,
  multiprotocol,
  openMessage as open,
  restartCapability as restart,
  talk,
} from "./testing/scripted-peer.ts";
import { A, B, C, SECOND, World } from "./testing/simulated-world.ts";
import { encodeEndOfRib, encodeKeepalive } from "./wire/index.ts";

describe("a peer that is written by hand", () => {
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
      announcement(["10.9.9.0/24"]),
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
