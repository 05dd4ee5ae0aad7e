/**
 * A peer that may send anything at any time, beside a good one: whatever it does, the good session goes on,
 * and once the mad one has gone, a good session is had with it too.
 */

import assert from "node:assert/strict";
import { type Capability, encodeKeepalive } from "../wire/index.ts";
import {
  announcement,
  multiprotocol,
  openMessage,
  restartCapability,
  talk,
} from "./scripted-peer.ts";
import { A, B, C, SECOND, World } from "./simulated-world.ts";

export const everything: readonly Capability[] = [
  multiprotocol,
  { kind: "multiprotocol", afi: 2, safi: 1 },
  { kind: "route-refresh" },
  { kind: "enhanced-route-refresh" },
  { kind: "extended-message" },
  { kind: "four-octet-as", as: 64512 },
  { kind: "role", role: "peer" },
  { kind: "extended-next-hop", entries: [{ afi: 1, safi: 1, nextHopAfi: 2 }] },
  { ...restartCapability(true), notification: true },
  { kind: "add-path", entries: [{ afi: 1, safi: 1, mode: "both" }] },
];

export interface MadStep {
  readonly bytes: Uint8Array;
  /** Time that passes afterwards. */
  readonly thenMs: number;
  /** Dials again first, where it was closed. */
  readonly again: boolean;
}

const good = [openMessage(), encodeKeepalive()];

/** How the peer begins, each time it dials. */
export const beginnings = {
  none: [],
  good,
  able: [openMessage({ capabilities: everything }), encodeKeepalive()],
} as const;

export async function playMadPeer(
  steps: readonly MadStep[],
  begin: keyof typeof beginnings,
): Promise<void> {
  const world = new World();
  const families = ["ipv4-unicast", "ipv6-unicast"] as const;
  const mad = {
    ...{ passive: true, families, extendedNextHop: true, maximumPrefixes: 1000 },
    addPath: { receive: true, send: "all" as const },
  };
  await world.start(A, [B, C], { peers: { [B]: mad, [C]: { families } } });
  await world.start(C, [A], { originate: ["10.3.0.0/24"], peers: { [A]: { families } } });
  await world.advance(SECOND);
  const ours = world.speakers.get(A)!;
  let peer = await talk(world, beginnings[begin]);
  for (const { bytes, thenMs, again } of steps) {
    if (again && peer.isClosed()) peer = await talk(world, beginnings[begin]);
    peer.connection.write(bytes);
    await world.advance(thenMs);
  }
  const c = ours.peers().find(({ name }) => name === C);
  assert.equal(c?.state, "Established");
  assert.equal(c?.lastError, "");
  for (const { asPath } of ours.routes()) assert.ok(Array.isArray(asPath));
  peer.connection.destroy();
  await world.advance(400 * SECOND);
  await talk(world, [...good, announcement(["10.9.9.0/24"])]);
  assert.deepEqual(world.state(A), ["Established", "Established"]);
  assert.deepEqual(world.routes(A), ["10.3.0.0/24", "10.9.9.0/24"]);
  for (const speaker of world.speakers.values()) await speaker.stop();
  await world.advance(SECOND);
  assert.equal(world.clock.pendingTimers, 0);
}
