import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatPrefix, type IpAddress, ipAddress, type Prefix, prefix } from "../lib/index.ts";
import type { Encapsulation } from "../model/index.ts";
import { addressOf } from "./families.ts";
import { plan } from "./plan.ts";
import { Planner } from "./planner.ts";
import { dualStackSnapshot, pool6Fact, poolFact } from "./testing/snapshot.ts";
import type { NodePlan, Snapshot } from "./types.ts";

/** Blocks of either family, networks beyond the pools, a pod's own address, and a node's VTEP. */
const prefixes: readonly Prefix[] = [
  "10.244.1.0/26",
  "10.244.2.0/26",
  "10.244.2.64/26",
  "10.244.3.0/26",
  "10.244.9.9/32",
  "10.244.1.2/32",
  "198.51.100.0/24",
  "192.0.2.1/32",
  "fd00:244::200/122",
  "fd00:244::300/122",
  "2001:db8:99::/48",
].map((text) => prefix(text));

/** Of nodes 1 to 4, then of the router, in the family of the prefix. */
function nextHop({ address }: Prefix, number: number): IpAddress {
  const node = dualStackSnapshot().nodes[number];
  const family = typeof address === "number" ? 4 : 6;
  const router = ipAddress(family === 4 ? "172.139.20.1" : "2001:db8:20::1")!;
  return node ? addressOf(node, family)!.address : router;
}

interface Say {
  readonly at: number;
  /** Node that the datastore gives the block to. */
  readonly owner: number | undefined;
  /** Who advertises it. */
  readonly from: number | undefined;
  readonly current: Encapsulation | undefined;
}

const say: fc.Arbitrary<Say> = fc.record({
  at: fc.nat(prefixes.length - 1),
  owner: fc.option(fc.nat(3), { nil: undefined }),
  from: fc.option(fc.nat(4), { nil: undefined }),
  current: fc.constantFrom<Encapsulation | undefined>(undefined, "none", "ipip", "vxlan"),
});

const common: fc.Arbitrary<Partial<Snapshot>> = fc
  .record({
    ipipMode: fc.constantFrom("Never" as const, "Always" as const, "CrossSubnet" as const),
    vxlanMode: fc.constantFrom("Never" as const, "Always" as const, "CrossSubnet" as const),
    vxlan6: fc.constantFrom("Never" as const, "Always" as const),
    receive: fc.subarray<Encapsulation>(["ipip", "vxlan", "vxlan-v6"]),
    announced: fc.subarray<Encapsulation>(["none", "ipip", "vxlan", "vxlan-v6"]),
    /** Blocks that have a mode of their own. */
    parts: fc.array(
      fc.record({
        cidr: fc.constantFrom(prefix("10.244.2.0/26"), prefix("10.244.0.0/22")),
        ipipMode: fc.constantFrom("Never" as const, "Always" as const),
        vxlanMode: fc.constantFrom("Never" as const, "Always" as const),
      }),
      { maxLength: 2 },
    ),
    peerGateways: fc.subarray([
      { peer: ipAddress("192.0.2.1")!, gateway: ipAddress("172.139.20.1")!, reason: "peer" },
    ]),
    accepts: fc.option(fc.subarray<Encapsulation>(["none", "ipip", "vxlan", "vxlan-v6"]), {
      nil: undefined,
    }),
  })
  .map(({ ipipMode, vxlanMode, vxlan6, parts, receive, announced, accepts, peerGateways }) => ({
    settings: { ...dualStackSnapshot().settings, peerGateways },
    pools: [poolFact({ ipipMode, vxlanMode, parts }), pool6Fact({ vxlanMode: vxlan6 })],
    receive,
    announced,
    nodes: dualStackSnapshot().nodes.map(({ accepts: _, ...node }, index) =>
      index === 1 && accepts === undefined ? node : { ...node, accepts: accepts ?? ["none"] },
    ),
  }));

function factsOf({ at, owner, from }: Say) {
  const at_ = prefixes[at]!;
  return {
    blocks: owner === undefined ? [] : [{ prefix: at_, node: `node${owner + 1}` }],
    learned: from === undefined ? [] : [{ prefix: at_, nextHop: nextHop(at_, from) }],
  };
}

/** `overrides.current`, which planners hold on to, is brought up to date. */
function snapshotOf(
  overrides: Partial<Snapshot> & { readonly current: Map<string, Encapsulation> },
  said: ReadonlyMap<number, Say>,
): Snapshot {
  const facts = [...said.values()].map(factsOf);
  const { current } = overrides;
  current.clear();
  for (const { at, current: sent } of said.values()) {
    if (sent !== undefined) current.set(formatPrefix(prefixes[at]!), sent);
  }
  return dualStackSnapshot({
    ...overrides,
    blocks: facts.flatMap(({ blocks }) => blocks),
    learned: facts.flatMap(({ learned }) => learned),
  });
}

/** In an order that does not depend on when a prefix was first heard of. */
function canonical({ routes, destinations, ipip, ...rest }: NodePlan) {
  const sorted = <T>(items: readonly T[] = []) =>
    items
      .map((item) =>
        JSON.stringify(item, (_, value) => (typeof value === "bigint" ? `${value}` : value)),
      )
      .sort();
  const { destinations: behind, ...tunnel } = ipip ?? {};
  return {
    ...rest,
    tunnel,
    routes: sorted(routes),
    destinations: sorted(destinations),
    behind: sorted(behind),
  };
}

function loaded(snapshot: Snapshot): Planner {
  const steps = Planner.load(snapshot);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

describe("Planner", () => {
  it("plans what plan() does, from the start and through any changes of prefixes", () => {
    let narrow = 0;
    fc.assert(
      fc.property(
        common,
        fc.array(say, { maxLength: 8 }),
        fc.array(say, { minLength: 1, maxLength: 8 }),
        (drawn, first, then) => {
          const overrides = { ...drawn, current: new Map<string, Encapsulation>() };
          const said = new Map(first.map((one) => [one.at, one]));
          const snapshot = snapshotOf(overrides, said);
          let planner = loaded(snapshot);
          assert.deepEqual(canonical(planner.plan), canonical(plan(snapshot)));
          for (const one of then) {
            const before = plan(snapshotOf(overrides, said));
            said.set(one.at, one);
            const now = snapshotOf(overrides, said);
            const change = planner.change(prefixes[one.at]!, factsOf(one));
            const expected = canonical(plan(now));
            if (change === "all") {
              planner = loaded(now);
            } else if (change === "nothing") {
              assert.deepEqual(expected, canonical(before));
            } else {
              narrow++;
              // Applied to what was planned before, the change makes what is planned now.
              const key = formatPrefix(change.prefix);
              const others = before.routes.filter(
                ({ destination }) => formatPrefix(destination) !== key,
              );
              assert.deepEqual(
                canonical({ ...plan(now), routes: [...others, ...change.routes] }).routes,
                expected.routes,
              );
            }
            assert.deepEqual(canonical(planner.plan), expected);
          }
        },
      ),
      { numRuns: 300 },
    );
    assert.ok(narrow > 300, `only ${narrow} changes were of one prefix alone`);
  });

  it("breathes while it loads many", () => {
    const blocks = Array.from({ length: 3000 }, (_, i) => ({
      prefix: prefix(`10.${244 + (i >> 10)}.${(i >> 2) & 255}.${(i & 3) * 64}/26`),
      node: "node2",
    }));
    const steps = Planner.load(dualStackSnapshot({ blocks, learned: [] }));
    let breaths = 0;
    while (!steps.next().done) breaths++;
    assert.ok(breaths >= 12, `${breaths}`);
  });
});
