/**
 * What a speaker knows and tells follows from its configuration and from what its peers tell, not from how it
 * came to be so: a hub is reconfigured and its peers are killed at random moments, then everything is held
 * against a hub that was started as it is in the end.
 */

import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { ipv4, prefix } from "../lib/index.ts";
import { A, B, C, SECOND, World } from "./testing/simulated-world.ts";
import type { OriginatedRoute, PeerConfig, PolicyRule, SpeakerConfig } from "./types.ts";
import type { RoutePages } from "./view-types.ts";

const HUB_AS = 64512;
const [D, E] = ["10.0.0.4", "10.0.0.5"];
/** Around the hub; the last two are external. */
const spokes = [B, C, D, E] as const;
const asOf = new Map([
  [D, 65004],
  [E, 65005],
]);
const shared = prefix("10.9.0.0/24");
const NO_EXPORT = 0xffffff01;

const routes: readonly OriginatedRoute[] = [
  { prefix: shared },
  { prefix: shared, med: 10 },
  { prefix: shared, communities: [1] },
  { prefix: shared, communities: [NO_EXPORT] },
  { prefix: prefix("10.9.1.0/24") },
];
const policies: readonly (readonly PolicyRule[] | undefined)[] = [
  undefined,
  [],
  [{ communities: [1], action: "reject" }],
  [{ action: "accept", set: { localPref: 200 } }],
  [{ action: "accept", set: { med: 5, communities: { add: [2] } } }],
  [{ source: "ebgp", action: "accept", set: { prependAsPath: [65000, 65000] } }],
  [{ prefixes: [{ prefix: shared }], action: "reject" }],
  [{ action: "accept", set: { communities: { add: [NO_EXPORT] } } }],
];

type Change = Partial<PeerConfig> & { readonly suffix?: string };
type HubChange = Partial<SpeakerConfig>;

const change = fc.record(
  {
    routeReflectorClient: fc.boolean(),
    importPolicy: fc.constantFrom(...policies),
    exportPolicy: fc.constantFrom(...policies),
    nextHop: fc.constantFrom<PeerConfig["nextHop"]>("auto", "self", "keep"),
    role: fc.constantFrom<PeerConfig["role"]>(undefined, "provider", "customer"),
    addPath: fc.constantFrom<PeerConfig["addPath"]>(
      undefined,
      { receive: true },
      { send: "all" },
      { receive: true, send: 1 },
    ),
    advertisementIntervalSeconds: fc.constantFrom(0, 3),
    allowedLocalAs: fc.constantFrom(0, 1),
    longLivedRestart: fc.constantFrom(undefined, { staleTimeSeconds: 50 }),
    suffix: fc.constantFrom("", " by another name"),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<object> as fc.Arbitrary<Change>;
const hubChange = fc.record(
  {
    originate: fc.subarray([...routes.slice(3)]),
    multipath: fc.constantFrom(undefined, { maximumPaths: 4 }),
    clusterId: fc.constantFrom(ipv4("192.0.2.1"), ipv4("192.0.2.2")),
    requireExternalPolicy: fc.boolean(),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<object> as fc.Arbitrary<HubChange>;

type Operation =
  | { readonly kind: "peer"; readonly node: string; readonly change: Change }
  | { readonly kind: "hub"; readonly change: HubChange }
  | {
      readonly kind: "originate";
      readonly node: string;
      readonly route: OriginatedRoute | undefined;
    }
  | { readonly kind: "restart"; readonly node: string; readonly silent: boolean };

const node = fc.constantFrom(...spokes);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("peer" as const), node, change }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("hub" as const), change: hubChange }) },
  {
    weight: 2,
    arbitrary: fc.record({
      ...{ kind: fc.constant("originate" as const), node },
      route: fc.constantFrom(undefined, ...routes),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      ...{ kind: fc.constant("restart" as const), silent: fc.boolean() },
      node: fc.constantFrom(A, ...spokes),
    }),
  },
);

/** All that decides what a world is to be like. */
class Plan {
  readonly peers = new Map<string, Change>();
  readonly originated = new Map<string, OriginatedRoute | undefined>();
  hub: HubChange = {};

  config(world: World, name: string): SpeakerConfig {
    if (name !== A) {
      const peers = { [A]: { remoteAs: HUB_AS, addPath: { receive: true, send: "all" as const } } };
      const route = this.originated.get(name);
      const made = world.config(name, [A], { as: asOf.get(name) ?? HUB_AS, peers });
      return { ...made, originate: route ? [route] : [] };
    }
    const peers = Object.fromEntries(
      spokes.map((spoke) => {
        const { suffix = "", ...more } = this.peers.get(spoke) ?? {};
        return [spoke, { name: spoke + suffix, remoteAs: asOf.get(spoke) ?? HUB_AS, ...more }];
      }),
    );
    return { ...world.config(A, spokes, { peers }), ...this.hub };
  }
}

function all<R extends { readonly pathId?: number }>(pages: RoutePages<R>): string[] {
  const lines: string[] = [];
  for (const page of pages) {
    for (const { pathId: _, ...route } of page) {
      lines.push(
        JSON.stringify(route, (_, value) => (typeof value === "bigint" ? `${value}` : value)),
      );
    }
  }
  return lines.sort();
}

/** In words, everything that is to follow from the plan. */
function view(world: World): unknown {
  const hub = world.speakers.get(A)!;
  const peers = hub.peers();
  return {
    states: peers.map(({ name, state, routesReceived }) => [name, state, routesReceived]).sort(),
    used: hub
      .routes()
      .map(({ peer, nextHops }) => `${peer} ${nextHops?.length}`)
      .sort(),
    best: all(hub.locRib()),
    told: Object.fromEntries(peers.map(({ name }) => [name, all(hub.adjRibOut(name))]).sort()),
    heard: Object.fromEntries(
      spokes.map((name) => [name, all(world.speakers.get(name)!.adjRibIn(A))]),
    ),
  };
}

async function start(plan: Plan): Promise<World> {
  const world = new World();
  for (const name of [A, ...spokes]) await world.startConfig(name, plan.config(world, name));
  return world;
}

async function stop(world: World): Promise<void> {
  for (const speaker of world.speakers.values()) await speaker.stop();
}

async function play(operations: readonly (readonly [Operation, number])[]): Promise<void> {
  const plan = new Plan();
  for (const [index, name] of spokes.entries()) plan.originated.set(name, routes[index]);
  const world = await start(plan);
  await world.advance(10 * SECOND);
  for (const [what, thenMs] of operations) {
    if (what.kind === "restart") {
      if (what.silent) world.silence(what.node);
      world.kill(what.node);
      await world.advance(thenMs);
      await world.startConfig(what.node, plan.config(world, what.node));
    } else {
      const changed = what.kind === "originate" ? what.node : A;
      if (what.kind === "hub") plan.hub = { ...plan.hub, ...what.change };
      else if (what.kind === "originate") plan.originated.set(what.node, what.route);
      else plan.peers.set(what.node, { ...plan.peers.get(what.node), ...what.change });
      world.speakers.get(changed)!.configure(plan.config(world, changed));
    }
    await world.advance(thenMs);
  }
  await world.advance(600 * SECOND);
  const fresh = await start(plan);
  await fresh.advance(600 * SECOND);
  assert.deepEqual(view(world), view(fresh));
  await stop(world);
  await stop(fresh);
}

it("a speaker is what it is told to be, whatever it was before", async () => {
  const thenMs = fc.oneof(fc.nat(3), fc.nat(3000), fc.nat(100_000));
  const operations = fc.array(fc.tuple(operation, thenMs), { maxLength: 8 });
  await fc.assert(fc.asyncProperty(operations, play), {
    numRuns: Number(process.env.SWITCHYARD_FUZZ_RUNS ?? 60),
  });
});
