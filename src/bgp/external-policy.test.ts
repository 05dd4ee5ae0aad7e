/** RFC 8212: what an external peer without policies takes and is told, where that is asked for. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { A, B, C, SECOND, World } from "./testing/simulated-world.ts";
import type { PeerConfig } from "./types.ts";

/** A with external B and internal C, each of which tells one route. */
async function session(requireExternalPolicy: boolean) {
  const world = new World();
  const config = (atB: Partial<PeerConfig>) => {
    const peers = { [B]: { remoteAs: 65001, ...atB }, [C]: { routeReflectorClient: true } };
    const made = world.config(A, [B, C], { originate: ["10.1.0.0/26"], peers });
    return { ...made, requireExternalPolicy };
  };
  await world.startConfig(A, config({}));
  const outside = { as: 65001, originate: ["10.2.0.0/26"], peers: { [A]: { remoteAs: 64512 } } };
  await world.start(B, [A], outside);
  await world.start(C, [A], { originate: ["10.3.0.0/26"] });
  await world.advance(10 * SECOND);
  const change = async (atB: Partial<PeerConfig>) => {
    world.speakers.get(A)!.configure(config(atB));
    await world.advance(SECOND);
    return [world.routes(A), world.routes(B)];
  };
  return { world, change };
}

const inside = ["10.3.0.0/26"];
const all = ["10.2.0.0/26", "10.3.0.0/26"];
const told = ["10.1.0.0/26", "10.3.0.0/26"];

it("nothing passes to or from an external peer without a policy", async () => {
  const { world, change } = await session(true);
  assert.deepEqual(
    [world.state(A), world.routes(A), world.routes(B)],
    [["Established", "Established"], inside, []],
  );
  assert.deepEqual(world.routes(C), ["10.1.0.0/26"], "of an internal one nothing is asked");
  assert.deepEqual(await change({ importPolicy: [] }), [all, []]);
  assert.deepEqual(await change({ exportPolicy: [] }), [inside, told]);
  assert.deepEqual(await change({ importPolicy: [], exportPolicy: [] }), [all, told]);
  assert.deepEqual(await change({}), [inside, []]);
  assert.deepEqual(world.state(A), ["Established", "Established"]);
});

it("unless that is asked for everything passes", async () => {
  const { change } = await session(false);
  assert.deepEqual(await change({}), [all, told]);
});
