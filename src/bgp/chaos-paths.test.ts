/**
 * A reflector and three clients that tell it the same prefixes, killed, silenced and reconfigured at random
 * moments, with path identifiers (RFC 7911) turned on, off and bounded meanwhile, and routes kept for long
 * (RFC 9494). Whatever happened: in the end every client knows exactly the paths that it is to know.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatAddress, prefix } from "../lib/index.ts";
import { A, B, C, SECOND, World } from "./testing/simulated-world.ts";
import type { PeerConfig } from "./types.ts";

const D = "10.0.0.4";
const clients = [B, C, D] as const;
const prefixes = ["10.9.0.0/24", "10.9.1.0/24"] as const;
const longLivedRestart = { staleTimeSeconds: 2000 };

type Send = NonNullable<PeerConfig["addPath"]>["send"];
type Operation =
  | { readonly kind: "kill" | "silence"; readonly node: string }
  | { readonly kind: "originate"; readonly node: string; readonly routes: readonly string[] }
  | { readonly kind: "send"; readonly node: string; readonly send: Send };

const client = fc.constantFrom(...clients);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("kill" as const, "silence" as const),
    node: fc.constantFrom(A, ...clients),
  }),
  fc.record({
    kind: fc.constant("originate" as const),
    node: client,
    routes: fc.subarray([...prefixes]),
  }),
  fc.record({
    kind: fc.constant("send" as const),
    node: client,
    send: fc.constantFrom<Send[]>("all", 1, 2, undefined),
  }),
);

async function play(
  operations: readonly { readonly what: Operation; readonly thenMs: number }[],
): Promise<void> {
  const world = new World();
  const originated = new Map<string, readonly string[]>(clients.map((name) => [name, prefixes]));
  const sends = new Map<string, Send>(clients.map((name) => [name, "all"]));
  const neighbours = (name: string) => (name === A ? clients : [A]);
  const options = (name: string) =>
    name === A
      ? {
          peers: Object.fromEntries(
            clients.map((other) => {
              const send = sends.get(other);
              const addPath = send === undefined ? {} : { addPath: { send } };
              return [other, { routeReflectorClient: true, longLivedRestart, ...addPath }];
            }),
          ),
        }
      : {
          originate: originated.get(name)!,
          peers: { [A]: { longLivedRestart, addPath: { receive: true } } },
        };
  const reconfigure = (name: string) =>
    world.speakers.get(name)!.configure(world.config(name, neighbours(name), options(name)));
  for (const name of [A, ...clients]) await world.start(name, neighbours(name), options(name));
  for (const { what, thenMs } of operations) {
    const { kind, node } = what;
    if (kind === "originate") {
      originated.set(node, what.routes);
      reconfigure(node);
    } else if (kind === "send") {
      sends.set(node, what.send);
      reconfigure(A);
    } else {
      if (kind === "silence") world.silence(node);
      world.kill(node);
      await world.advance(thenMs);
      await world.start(node, neighbours(node), options(node));
    }
    await world.advance(thenMs);
  }
  await world.advance(600 * SECOND);
  for (const name of clients) {
    const send = sends.get(name);
    for (const each of prefixes) {
      const tellers = clients.filter((other) => originated.get(other)!.includes(each));
      const others = tellers.filter((other) => other !== name);
      // Without path identifiers the best is told, unless it is the client's own.
      const single = tellers[0] === name ? [] : others.slice(0, 1);
      const expected = send === undefined ? single : others.slice(0, send === "all" ? 9 : send);
      const { paths } = world.speakers.get(name)!.why(prefix(each));
      const known = paths.map(({ route }) => formatAddress(route.nextHop)).sort();
      assert.deepEqual(known, expected, `${name}: ${each}, told ${send}`);
      for (const { route } of paths)
        assert.deepEqual([route.stale, route.communities], [false, []]);
    }
  }
  for (const speaker of world.speakers.values()) await speaker.stop();
}

describe("whatever happens to a reflector and its clients", () => {
  it("everybody knows the paths that it is to know", async () => {
    const thenMs = fc.oneof(fc.nat(20), fc.nat(3000), fc.nat(300_000));
    const steps = fc.array(fc.record({ what: operation, thenMs }), { maxLength: 8 });
    await fc.assert(fc.asyncProperty(steps, play), { numRuns: 60 });
  });
});
