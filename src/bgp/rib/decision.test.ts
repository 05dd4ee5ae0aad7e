/** The steps of the decision process have names, and the names are true. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Ipv4 } from "../../lib/index.ts";
import type { DecisionStep } from "../view-types.ts";
import { bestPath, compare, lostTo, stepOf } from "./decision.ts";
import { makePath, type Path } from "./path.ts";
import { testSource } from "./testing.ts";

interface Traits {
  readonly id: number;
  readonly routerId: number;
  readonly internal: boolean;
  readonly localPref: number;
  readonly asns: readonly number[];
  readonly origin: "igp" | "egp" | "incomplete";
  readonly med: number | undefined;
  readonly clusters: number;
  readonly pathId: number;
  readonly communities?: readonly number[];
}

const plain: Traits = {
  id: 1,
  routerId: 1,
  internal: false,
  localPref: 100,
  asns: [1, 2],
  origin: "igp",
  med: undefined,
  clusters: 0,
  pathId: 0,
};

function made(traits: Partial<Traits>): Path {
  const { id, routerId, internal, asns, med, clusters, pathId, ...rest } = { ...plain, ...traits };
  const source = testSource(id, {
    peerType: internal ? "ibgp" : "ebgp",
    peerRouterId: routerId as Ipv4,
  });
  return makePath({
    source,
    pathId,
    attributes: {
      ...rest,
      asPath: asns.length === 0 ? [] : [{ kind: "sequence", asns }],
      nextHop: id as Ipv4,
      clusterList: Array.from({ length: clusters }, () => 9 as Ipv4),
      ...(med === undefined ? {} : { med }),
    },
    identity: { as: 64512, routerId: 7 as Ipv4, clusterId: 7 as Ipv4 },
  });
}

describe("a loser says by which step", () => {
  const rows: [DecisionStep, loser: Partial<Traits>][] = [
    ["long-lived-stale", { communities: [0xffff0006], localPref: 900 }],
    ["local-pref", { localPref: 99, asns: [] }],
    ["as-path-length", { asns: [1, 2, 3], origin: "igp" }],
    ["origin", { origin: "egp", routerId: 0 }],
    ["med", { med: 1, routerId: 0 }],
    ["external", { internal: true, routerId: 0 }],
    ["router-id", { routerId: 2, clusters: 0 }],
    ["cluster-list-length", { clusters: 1 }],
    ["peer-address", {}],
    ["path-id", { id: 1, pathId: 1 }],
  ];
  for (const [step, traits] of rows) {
    it(step, () => {
      const best = made({});
      const loser = made({ id: 2, ...traits });
      assert.equal(stepOf(compare(best, loser)), step);
      assert.equal(Math.sign(compare(best, loser)), -1);
      assert.equal(Math.sign(compare(loser, best)), 1);
      assert.deepEqual(lostTo(loser, best, [loser, best]), { step, to: best });
      assert.equal(lostTo(best, best, [loser, best]), undefined);
    });
  }

  it("by MED to another than the best", () => {
    const best = made({ id: 1, asns: [5, 2] });
    const lower = made({ id: 3, routerId: 3, med: 4 });
    const loser = made({ id: 2, routerId: 0, med: 5 });
    const all = [loser, lower, best];
    assert.equal(bestPath(all), best);
    assert.deepEqual(lostTo(loser, best, all), { step: "med", to: lower });
    assert.deepEqual(lostTo(lower, best, all), { step: "router-id", to: best });
  });
});

describe("RFC 4271 section 9.1.2.2, step by step", () => {
  /** The steps as the RFC tells them: each removes paths from those that are left. */
  function eliminate(paths: readonly Path[]): Map<Path, DecisionStep> {
    const out = new Map<Path, DecisionStep>();
    let left = [...paths];
    const keep = (step: DecisionStep, stays: (path: Path) => boolean) => {
      for (const path of left) if (!stays(path)) out.set(path, step);
      left = left.filter(stays);
    };
    const lowest = (step: DecisionStep, rank: (path: Path) => number) => {
      const least = Math.min(...left.map(rank));
      keep(step, (path) => rank(path) === least);
    };
    lowest("long-lived-stale", ({ attributes }) =>
      attributes.communities?.includes(0xffff0006) ? 1 : 0,
    );
    lowest("local-pref", ({ localPref }) => -localPref);
    lowest("as-path-length", ({ attributes }) => attributes.asPath.flatMap((s) => s.asns).length);
    lowest("origin", ({ attributes }) => ["igp", "egp", "incomplete"].indexOf(attributes.origin));
    const group = [...left];
    const med = ({ attributes }: Path) => attributes.med ?? 0;
    const first = ({ attributes }: Path) => attributes.asPath[0]?.asns[0] ?? 0;
    keep("med", (path) => !group.some((o) => first(o) === first(path) && med(o) < med(path)));
    lowest("external", ({ source }) => (source.peerType === "ebgp" ? 0 : 1));
    lowest("router-id", ({ source }) => source.peerRouterId);
    lowest("cluster-list-length", ({ attributes }) => attributes.clusterList!.length);
    lowest("peer-address", ({ source }) => Number(source.peerAddress));
    return out;
  }

  const few = <T>(...values: T[]) => fc.constantFrom(...values);
  const anyPath = fc.record({
    id: fc.integer({ min: 1, max: 9 }),
    routerId: few(1, 2),
    internal: fc.boolean(),
    localPref: few(100, 100, 200),
    asns: few([1, 5], [2, 5], [1, 6], [1, 5, 6]),
    origin: few("igp" as const, "igp" as const, "egp" as const),
    med: few(undefined, 0, 1, 2),
    clusters: few(0, 1),
    communities: few([1], [1], [0xffff0006]),
  });

  it("is what is chosen, and what each loser says", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anyPath, { minLength: 1, maxLength: 8, selector: ({ id }) => id }),
        (traits) => {
          const paths = traits.map(made);
          const expected = eliminate(paths);
          const best = bestPath(paths);
          assert.equal(expected.has(best), false);
          assert.equal(expected.size, paths.length - 1);
          for (const path of paths) {
            assert.equal(lostTo(path, best, paths)?.step, expected.get(path));
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
