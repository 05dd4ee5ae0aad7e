/** How many prefixes a peer may announce (RFC 4271 section 6.7, RFC 4486 section 4): what counts, and when. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { prefix } from "../lib/index.ts";
import {
  alone,
  announcement,
  multiprotocol,
  openMessage,
  restartCapability,
  talk,
} from "./testing/scripted-peer.ts";
import { A, B, SECOND } from "./testing/simulated-world.ts";
import type { PeerConfig } from "./types.ts";
import { type Capability, encodeEndOfRib, encodeKeepalive } from "./wire/index.ts";

const cease = "Cease / Maximum Number of Prefixes Reached";
const endOfRib = encodeEndOfRib("ipv4-unicast");
const before = ["10.9.1.0/24", "10.9.2.0/24"];
const after = ["10.9.3.0/24", "10.9.4.0/24"];

function limited(maximumPrefixes: number, more: Partial<PeerConfig> = {}) {
  return { peers: { [B]: { passive: true, maximumPrefixes, ...more } } };
}

function hello(as: number, more: readonly Capability[] = []): Uint8Array[] {
  const capabilities = [multiprotocol, restartCapability(true), ...more];
  return [openMessage({ as, capabilities }), encodeKeepalive()];
}

it("is not reached by what is kept of the session before and told no more", async () => {
  const world = await alone(limited(2));
  const first = await talk(world, [...hello(64512), announcement(before), endOfRib]);
  first.connection.destroy();
  await world.advance(SECOND);
  const second = await talk(world, [...hello(64512), announcement(after)]);
  assert.equal(second.isClosed(), false);
  assert.equal(world.routes(A).length, 4);
  second.connection.write(endOfRib);
  await world.advance(100);
  assert.deepEqual(world.routes(A), after);
  second.connection.write(announcement(before.slice(1)));
  await world.advance(100);
  assert.equal(second.received.at(-1), cease);
});

it("is reached by routes that leak: they did not come back to us (RFC 9234)", async () => {
  const role = { remoteAs: 65001, role: "provider" } as const;
  const world = await alone(limited(2, role));
  const leaked = { asPath: [{ kind: "sequence" as const, asns: [65001] }], onlyToCustomer: 65001 };
  const customer: Capability = { kind: "role", role: "customer" };
  const peer = await talk(world, [...hello(65001, [customer]), announcement(before, leaked)]);
  assert.deepEqual(world.routes(A), []);
  assert.equal(world.speakers.get(A)!.why(prefix(before[0]!)).paths.length, 1);
  assert.equal(peer.isClosed(), false);
  peer.connection.write(announcement(after, leaked));
  await world.advance(100);
  assert.equal(peer.received.at(-1), cease);
});

it("ends the session when it is set below what was announced", async () => {
  const world = await alone(limited(2));
  const peer = await talk(world, [...hello(64512), announcement(before), endOfRib]);
  const configure = (maximumPrefixes: number) =>
    world.speakers.get(A)!.configure(world.config(A, [B], limited(maximumPrefixes)));
  configure(3);
  await world.advance(100);
  assert.equal(peer.isClosed(), false);
  configure(1);
  await world.advance(100);
  assert.equal(peer.received.at(-1), cease);
  assert.deepEqual(world.routes(A), []);
});
