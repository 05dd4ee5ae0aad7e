/** Policies change under a running session: what is known is asked again, and only differences are told. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatPrefix, prefix } from "../lib/index.ts";
import { alone, announcement, multiprotocol, openMessage, talk } from "./testing/scripted-peer.ts";
import { A, B, SECOND, type World } from "./testing/simulated-world.ts";
import type { PeerConfig, PolicyRule } from "./types.ts";
import { encodeKeepalive } from "./wire/index.ts";

const originate = ["10.1.0.0/26", "10.1.1.0/26", "10.1.2.0/26"];
const exported = (exportPolicy: readonly PolicyRule[]) => ({ exportPolicy });
const within = (...texts: string[]) => texts.map((text) => ({ prefix: prefix(text) }));

async function session(peer: Partial<PeerConfig>) {
  const world = await alone({ originate, peers: { [B]: peer } });
  const open = openMessage({ capabilities: [multiprotocol, { kind: "route-refresh" }] });
  const b = await talk(world, [open, encodeKeepalive()]);
  await world.advance(SECOND);
  b.received.length = 0;
  const change = async (next: Partial<PeerConfig>) => {
    const peers = { [B]: { passive: true, ...next } };
    world.speakers.get(A)!.configure(world.config(A, [B], { originate, peers }));
    await world.advance(SECOND);
    assert.deepEqual(world.state(A), ["Established"]);
    assert.ok(!b.isClosed());
    return b.received.splice(0);
  };
  return { world, b, change };
}

describe("a changed export policy", () => {
  it("tells only the routes that it changes", async () => {
    const { change } = await session(exported([{ action: "accept", set: { med: 1 } }]));
    assert.deepEqual(await change(exported([{ action: "accept", set: { med: 1 } }])), []);
    const first = { prefixes: within("10.1.0.0/26") };
    // Said in other words.
    assert.deepEqual(
      await change(
        exported([
          { ...first, action: "accept", set: { med: 1 } },
          { action: "continue", set: { med: 1 } },
        ]),
      ),
      [],
    );
    const communities = { add: [7] };
    const marked: PolicyRule = { ...first, action: "accept", set: { med: 1, communities } };
    const others: PolicyRule = { action: "accept", set: { med: 1 } };
    assert.deepEqual(await change(exported([marked, others])), ["UPDATE +1 -0"]);
    const rejected: PolicyRule = { prefixes: within("10.1.1.0/26"), action: "reject" };
    assert.deepEqual(await change(exported([marked, rejected, others])), ["UPDATE +0 -1"]);
    assert.deepEqual(await change(exported([marked, others])), ["UPDATE +1 -0"]);
  });

  it("changes nothing that was learned", async () => {
    const { world, b, change } = await session({});
    b.connection.write(announcement(["10.9.0.0/24"]));
    await world.advance(SECOND);
    const told: unknown[] = [];
    world.speakers.get(A)!.onRoutes((changes) => told.push(...changes));
    await change(exported([{ action: "accept", set: { med: 1 } }]));
    assert.deepEqual(told, []);
  });
});

describe("a changed import policy", () => {
  const learned = (world: World) =>
    world.speakers
      .get(A)!
      .routes()
      .map(({ prefix: of, localPref }) => `${formatPrefix(of)} ${localPref}`)
      .sort();
  const preferring = (importPolicy: readonly PolicyRule[]) => ({ importPolicy });

  it("changes what it means of what was told before, without a refresh", async () => {
    const { world, b, change } = await session({});
    b.connection.write(announcement(["10.9.0.0/24", "10.9.1.0/24"]));
    await world.advance(SECOND);
    assert.deepEqual(learned(world), ["10.9.0.0/24 100", "10.9.1.0/24 100"]);
    const told: string[] = [];
    world.speakers.get(A)!.onRoutes((changes) => {
      for (const each of changes) told.push(formatPrefix(each.prefix));
    });
    const first: PolicyRule = {
      prefixes: within("10.9.0.0/24"),
      action: "accept",
      set: { localPref: 200 },
    };
    assert.deepEqual(await change(preferring([first])), []);
    assert.deepEqual(learned(world), ["10.9.0.0/24 200", "10.9.1.0/24 100"]);
    assert.deepEqual(told.splice(0), ["10.9.0.0/24"]);
    // The same in other words changes no route.
    await change(preferring([{ ...first, action: "continue" }]));
    assert.deepEqual(told, []);
    await change(preferring([first, { action: "reject" }]));
    assert.deepEqual(told.splice(0), ["10.9.1.0/24"]);
    assert.deepEqual(learned(world), ["10.9.0.0/24 200"]);
  });
});
