/**
 * Three simulated speakers in a full mesh are killed, silenced, restarted and reconfigured at random
 * moments. Whatever happened: some minutes later every session stands and everybody knows exactly
 * what the others originate.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { A, B, C, SECOND, World } from "./testing/simulated-world.ts";

const names = [A, B, C] as const;

type Operation =
  | { readonly kind: "kill" | "silence"; readonly node: string }
  | { readonly kind: "originate"; readonly node: string; readonly routes: readonly string[] };

const node = fc.constantFrom(...names);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ kind: fc.constantFrom("kill" as const, "silence" as const), node }),
  fc.record({
    kind: fc.constant("originate" as const),
    node,
    routes: fc.subarray(["0.0/26", "0.64/26", "1.0/24", "2.0/32"]),
  }),
);

/** Distinct for each node. */
function own(name: string, routes: readonly string[]): string[] {
  return routes.map((route) => `10.${names.indexOf(name as typeof A) + 1}.${route}`);
}

async function play(
  operations: readonly { readonly what: Operation; readonly thenMs: number }[],
  passive: boolean,
): Promise<void> {
  const world = new World();
  const originated = new Map<string, readonly string[]>();
  const neighbours = (name: string) => names.filter((other) => other !== name);
  const options = (name: string) => ({
    originate: own(name, originated.get(name) ?? ["0.0/26"]),
    // As Calico's mesh: of two, the one whose peer's address is higher waits.
    peers: Object.fromEntries(
      neighbours(name).map((other) => [other, { passive: passive && other > name }]),
    ),
  });
  for (const name of names) await world.start(name, neighbours(name), options(name));
  for (const { what, thenMs } of operations) {
    const { kind, node: name } = what;
    if (kind === "originate") {
      originated.set(name, what.routes);
      world.speakers.get(name)!.configure(world.config(name, neighbours(name), options(name)));
    } else {
      if (kind === "silence") world.silence(name);
      world.kill(name);
      await world.advance(thenMs);
      await world.start(name, neighbours(name), options(name));
    }
    await world.advance(thenMs);
  }
  await world.advance(600 * SECOND);
  for (const name of names) {
    assert.deepEqual(world.state(name), ["Established", "Established"], name);
    const expected = neighbours(name).flatMap((other) => options(other).originate);
    assert.deepEqual(world.routes(name), expected.sort(), name);
    assert.equal(world.speakers.get(name)!.converged(), true, name);
    for (const peer of world.speakers.get(name)!.peers()) {
      assert.equal(peer.gracefulRestart, false);
      assert.equal(peer.routesSent, options(name).originate.length);
    }
  }
  for (const speaker of world.speakers.values()) await speaker.stop();
}

describe("whatever happens to a mesh, it comes back", () => {
  const steps = fc.array(
    fc.record({ what: operation, thenMs: fc.oneof(fc.nat(20), fc.nat(3000), fc.nat(300_000)) }),
    { maxLength: 8 },
  );
  for (const passive of [false, true]) {
    it(passive ? "with one side dialling" : "with both sides dialling", async () => {
      await fc.assert(
        fc.asyncProperty(steps, (operations) => play(operations, passive)),
        { numRuns: 60 },
      );
    });
  }
});
