/** Which paths are used together. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Ipv4 } from "../../lib/index.ts";
import type { MultipathConfig } from "../types.ts";
import type { PathAttributes } from "../wire/index.ts";
import { LocRib } from "./loc-rib.ts";
import { makePath, type Path } from "./path.ts";
import { testNumber, testSource } from "./testing.ts";

const number = testNumber(1);

interface Traits extends Partial<Omit<PathAttributes, "asPath" | "nextHop">> {
  readonly id: number;
  readonly asns?: readonly number[];
  readonly internal?: boolean;
  readonly nextHop?: number;
}

function made({ id, asns = [1, 2], internal = false, nextHop = id, ...more }: Traits): Path {
  return makePath({
    source: testSource(id, { peerType: internal ? "ibgp" : "ebgp" }),
    attributes: {
      origin: "igp",
      asPath: [{ kind: "sequence", asns }],
      nextHop: nextHop as Ipv4,
      ...more,
    },
    identity: { as: 64512, routerId: 7 as Ipv4, clusterId: 7 as Ipv4 },
  });
}

function used(paths: readonly Path[], multipath: MultipathConfig): number[] {
  const rib = new LocRib(multipath);
  for (const path of paths) rib.replace(number, path);
  return rib.used(number).map(({ source }) => source.peerId);
}

describe("paths used together", () => {
  const rows: [name: string, other: Traits, together: boolean][] = [
    ["all alike", { id: 2 }, true],
    ["LOCAL_PREF", { id: 2, localPref: 99 }, false],
    ["a longer AS_PATH", { id: 2, asns: [1, 2, 3] }, false],
    ["another AS_PATH", { id: 2, asns: [1, 3] }, false],
    ["ORIGIN", { id: 2, origin: "egp" }, false],
    ["MED", { id: 2, med: 1 }, false],
    ["internal", { id: 2, internal: true }, false],
    ["a CLUSTER_LIST", { id: 2, clusterList: [1 as Ipv4] }, true],
    ["communities", { id: 2, communities: [1] }, true],
    ["the same next hop", { id: 2, nextHop: 1 }, false],
  ];
  for (const [name, other, together] of rows) {
    it(name, () => {
      const expected = together ? [1, 2] : [1];
      assert.deepEqual(used([made(other), made({ id: 1 })], { maximumPaths: 8 }), expected);
    });
  }

  it("need the same AS_PATH unless relaxed, and never one that MED has thrown out", () => {
    const relaxed = { maximumPaths: 8, relaxAsPath: true };
    assert.deepEqual(used([made({ id: 1 }), made({ id: 2, asns: [3, 2] })], relaxed), [1, 2]);
    const paths = [
      made({ id: 1, asns: [3, 2], med: 5 }),
      made({ id: 2, med: 5 }),
      made({ id: 3, med: 0 }),
    ];
    assert.deepEqual(used(paths, relaxed), [1], "the second lost to the third");
  });

  it("are the best alone unless told, and no more than told", () => {
    const paths = [4, 3, 2, 1].map((id) => made({ id }));
    const rib = new LocRib();
    for (const path of paths) rib.replace(number, path);
    assert.equal(rib.used(number).length, 1);
    assert.deepEqual(used(paths, { maximumPaths: 3 }), [1, 2, 3]);
    assert.deepEqual(used(paths, { maximumPaths: 1 }), [1]);
  });
});

describe("Loc-RIB with several paths in use", () => {
  it("says what has changed of them, after any updates", () => {
    const update = fc.record({
      id: fc.integer({ min: 1, max: 5 }),
      nextHop: fc.integer({ min: 1, max: 3 }),
      localPref: fc.constantFrom(undefined, 100, 100, 200),
    });
    fc.assert(
      fc.property(fc.array(update, { maxLength: 40 }), (updates) => {
        const rib = new LocRib({ maximumPaths: 2 });
        for (const { id, nextHop, localPref } of updates) {
          const before = rib.used(number);
          const change =
            localPref === undefined
              ? rib.remove(number, id, 0)
              : rib.replace(number, made({ id, nextHop, localPref }));
          const after = rib.used(number);
          if (change === "best") assert.notEqual(before[0], after[0]);
          else assert.equal(before[0], after[0]);
          const same = before.length === after.length && before.every((p, i) => p === after[i]);
          if (change !== "best") assert.equal(same, change !== "equal");
        }
      }),
    );
  });
});
