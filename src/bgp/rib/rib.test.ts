/** The tables against naive ones under random operations, and each rule of the decision process. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Ipv4, ipv4, type Prefix, prefix } from "../../lib/index.ts";
import type { Refusal } from "../view-types.ts";
import { keyOfPrefix, type PathAttributes } from "../wire/index.ts";
import { AdjRibIn } from "./adj-rib-in.ts";
import { bestPath } from "./decision.ts";
import { LocRib } from "./loc-rib.ts";
import { makePath, type Path, type Source } from "./path.ts";
import type { PrefixNumber } from "./prefix-index.ts";
import { PrefixMap } from "./prefix-map.ts";
import { testNumber, testSource } from "./testing.ts";

const identity = {
  as: 64512,
  routerId: ipv4("192.0.2.1"),
  clusterId: ipv4("192.0.2.200"),
};

function source(id: number, parts: Partial<Source> = {}): Source {
  return testSource(id, {
    remoteAs: 65000 + id,
    peerAddress: (0xc0000200 + id) as Ipv4,
    peerRouterId: (0xc0000200 + id) as Ipv4,
    localAddress: ipv4("192.0.2.101"),
    ...parts,
  });
}

interface Parts extends Partial<Omit<PathAttributes, "asPath">> {
  readonly asns?: readonly number[];
}

function path(from: Source, { asns = [1, 2], ...rest }: Parts = {}): Path {
  const attributes: PathAttributes = {
    origin: "igp",
    asPath: asns.length === 0 ? [] : [{ kind: "sequence", asns }],
    nextHop: from.peerAddress,
    ...rest,
  };
  return makePath({ source: from, attributes, identity });
}

describe("decision process: the first path of each pair wins", () => {
  const one = source(1);
  const two = source(2);
  const internal = source(3, { peerType: "ibgp" });
  const rows: [name: string, winner: Path, loser: Path][] = [
    ["higher LOCAL_PREF", path(two, { localPref: 200, asns: [1, 2, 3] }), path(one)],
    ["LOCAL_PREF is 100 unless told", path(two, { localPref: 100, asns: [1] }), path(one)],
    ["shorter AS_PATH", path(two, { asns: [9] }), path(one)],
    ["lower ORIGIN", path(two), path(one, { origin: "incomplete" })],
    ["lower MED of one AS", path(two, { med: 1 }), path(one, { med: 2 })],
    ["absent MED is lowest", path(two), path(one, { med: 1 })],
    ["MED of another AS does not count", path(one, { med: 9 }), path(two, { asns: [3, 2] })],
    ["eBGP over iBGP", path(two), path(internal)],
    ["lower identifier", path(one), path(two)],
    [
      "ORIGINATOR_ID stands for the identifier",
      path(source(5, { peerType: "ibgp" }), { originatorId: 1 as Ipv4 }),
      path(internal),
    ],
    [
      "shorter CLUSTER_LIST",
      path(source(7, { peerType: "ibgp" }), { originatorId: 1 as Ipv4, clusterList: [1 as Ipv4] }),
      path(source(6, { peerType: "ibgp" }), {
        originatorId: 1 as Ipv4,
        clusterList: [1 as Ipv4, 2 as Ipv4],
      }),
    ],
    ["lower address", path(source(1)), path(source(2, { peerRouterId: one.peerRouterId }))],
  ];
  for (const [name, winner, loser] of rows) {
    it(name, () => {
      assert.equal(bestPath([winner, loser]), winner);
      assert.equal(bestPath([loser, winner]), winner);
    });
  }

  it("does not depend on the order of paths, MED included", () => {
    const any = fc.record({
      id: fc.integer({ min: 1, max: 6 }),
      ibgp: fc.boolean(),
      first: fc.constantFrom(1, 2),
      med: fc.constantFrom(undefined, 1, 2),
      localPref: fc.constantFrom(undefined, 100, 200),
    });
    const paths = fc.uniqueArray(any, { minLength: 1, selector: ({ id }) => id }).map((list) =>
      list.map(({ id, ibgp, first, med, localPref }) =>
        path(source(id, { peerType: ibgp ? "ibgp" : "ebgp" }), {
          asns: [first, 9],
          ...(med === undefined ? {} : { med }),
          ...(localPref === undefined ? {} : { localPref }),
        }),
      ),
    );
    fc.assert(
      fc.property(
        paths.chain((list) =>
          fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
        ),
        ([list, shuffled]) => assert.equal(bestPath(list), bestPath(shuffled)),
      ),
    );
  });
});

describe("decision process against a naive one", () => {
  /** Without MED the rules are one lexicographic order. */
  function rank({ localPref, attributes, source: from }: Path): number[] {
    return [
      -localPref,
      attributes.asPath.flatMap(({ asns }) => asns).length,
      ["igp", "egp", "incomplete"].indexOf(attributes.origin),
      from.peerType === "ebgp" ? 0 : 1,
      attributes.originatorId ?? from.peerRouterId,
      (attributes.clusterList ?? []).length,
      from.peerAddress as number,
    ];
  }

  function naiveBest(paths: readonly Path[]): Path | undefined {
    return paths.toSorted((a, b) => {
      const [left, right] = [rank(a), rank(b)];
      return left.map((value, index) => value - right[index]!).find((value) => value !== 0) ?? 0;
    })[0];
  }

  it("chooses the same path", () => {
    const any = fc.record({
      id: fc.integer({ min: 1, max: 9 }),
      routerId: fc.integer({ min: 1, max: 2 }),
      peerType: fc.constantFrom("ibgp" as const, "ebgp" as const),
      hops: fc.nat(2),
      origin: fc.constantFrom("igp" as const, "egp" as const, "incomplete" as const),
      localPref: fc.constantFrom(90, 100),
      clusters: fc.nat(2),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(any, { minLength: 1, maxLength: 9, selector: ({ id }) => id }),
        (list) => {
          const paths = list.map(({ id, routerId, peerType, hops, origin, localPref, clusters }) =>
            path(source(id, { peerType, peerRouterId: routerId as Ipv4 }), {
              asns: Array.from({ length: hops }, () => 9),
              origin,
              localPref,
              clusterList: Array.from({ length: clusters }, () => 9 as Ipv4),
            }),
          );
          assert.equal(bestPath(paths), naiveBest(paths));
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe("feasibility", () => {
  const internal = source(3, { peerType: "ibgp" });
  const rows: [name: string, made: Path, expected: Refusal | undefined][] = [
    ["our AS in AS_PATH", path(source(1), { asns: [1, 64512] }), "as-loop"],
    ["next hop is ourselves", path(source(1), { nextHop: ipv4("192.0.2.101") }), "own-next-hop"],
    [
      "our identifier as ORIGINATOR_ID",
      path(internal, { originatorId: identity.routerId }),
      "own-originator",
    ],
    [
      "our cluster in CLUSTER_LIST",
      path(internal, { clusterList: [identity.clusterId] }),
      "cluster-loop",
    ],
    [
      "our identifier in CLUSTER_LIST",
      path(internal, { clusterList: [identity.routerId] }),
      undefined,
    ],
    ["plain", path(source(1)), undefined],
  ];
  for (const [name, { refusal }, expected] of rows) {
    it(name, () => assert.equal(refusal, expected));
  }
});

const prefixes: readonly Prefix[] = [
  "10.0.0.0/8",
  "10.0.0.0/9",
  "10.0.0.0/26",
  "2001:db8::/32",
].map(prefix);
const numbers = prefixes.map((each) => testNumber(keyOfPrefix(each)));
const anyNumber = fc.constantFrom(...numbers);

describe("Loc-RIB", () => {
  it("holds the best of all paths after any updates, and tells when it changes", () => {
    const operation = fc.record({
      number: anyNumber,
      id: fc.integer({ min: 1, max: 4 }),
      localPref: fc.constantFrom(undefined, 100, 200),
      med: fc.constantFrom(0, 1, 2),
      as: fc.constantFrom(65001, 65002),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const rib = new LocRib();
        const naive = new Map<PrefixNumber, Map<number, Path>>();
        for (const { number, id, localPref, med, as } of operations) {
          const next = localPref && path(source(id), { localPref, med, asns: [as] });
          const paths = naive.get(number) ?? new Map<number, Path>();
          naive.set(number, paths);
          const before = paths.size === 0 ? undefined : bestPath([...paths.values()]);
          if (next) paths.set(id, next);
          else paths.delete(id);
          const after = paths.size === 0 ? undefined : bestPath([...paths.values()]);
          const change = next ? rib.replace(number, next) : rib.remove(number, id, 0);
          assert.equal(change === "best", before !== after);
          assert.equal(rib.best(number), after);
          assert.equal(rib.size, [...naive.values()].filter(({ size }) => size > 0).length);
        }
      }),
    );
  });

  it("is not changed by a peer that comes back with the same route", () => {
    const rib = new LocRib();
    const first = path(source(1));
    rib.replace(numbers[0]!, first);
    assert.equal(rib.replace(numbers[0]!, { ...first, source: source(1) }), undefined);
    assert.equal(rib.replace(numbers[0]!, path(source(1))), "best", "other attributes");
  });
});

describe("Adj-RIB-in", () => {
  it("keeps what is told again and sweeps the rest, like a naive table", () => {
    const operation = fc.oneof(
      fc.record({
        kind: fc.constantFrom("announce" as const, "withdraw" as const),
        number: anyNumber,
      }),
      fc.record({
        kind: fc.constantFrom("lose" as const, "keep" as const, "end" as const),
        number: fc.constant(numbers[0]!),
      }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
        const seen = new Map<PrefixNumber, Path>();
        const table = new AdjRibIn((number, told) => {
          if (told) seen.set(number, told);
          else assert.ok(seen.delete(number), "a withdrawal of something never told");
        });
        const naive = new Map<PrefixNumber, "fresh" | "leftover">();
        const sweep = () => {
          for (const [number, state] of naive) if (state === "leftover") naive.delete(number);
        };
        for (const { kind, number } of operations) {
          if (kind === "announce") {
            naive.set(number, "fresh");
            table.announce(number, path(source(1)));
          } else if (kind === "withdraw") {
            naive.delete(number);
            table.withdraw(number);
          } else if (kind === "lose" || kind === "keep") {
            if (kind === "lose") sweep();
            for (const known of naive.keys()) naive.set(known, "leftover");
            table.expectAgain(kind === "keep");
          } else {
            sweep();
            while (table.sweepSome(1));
          }
          assert.deepEqual(new Set(seen.keys()), new Set(naive.keys()));
          assert.equal(table.size, naive.size);
          const leftovers = [...naive.values()].filter((state) => state === "leftover");
          assert.equal(table.leftovers, leftovers.length);
        }
      }),
    );
  });

  for (const [few, many] of [
    [3, 200],
    [200, 3],
  ] as const) {
    it(`is replayed whole though ${few} that were left over and ${many} told since are put together`, () => {
      const seen = new Set<PrefixNumber>();
      const table = new AdjRibIn((number) => void seen.add(number));
      const routes = (from: number, count: number) =>
        Array.from({ length: count }, (_, i) => testNumber((from + i) * 64 + 32));
      for (const number of routes(0, few)) table.announce(number, path(source(1)));
      table.expectAgain(false);
      for (const number of routes(1000, many)) table.announce(number, path(source(1)));
      seen.clear();
      const replay = table.replay();
      for (let i = 0; i < 150; i++) replay.next();
      table.expectAgain(true);
      while (!replay.next().done);
      assert.equal(seen.size, few + many);
    });
  }

  it("loses one session after another for what each told, not for all that waits", (test) => {
    const table = new AdjRibIn(() => undefined);
    const many = Array.from({ length: 5000 }, (_, i) => testNumber(i * 64 + 32));
    for (const number of many) table.announce(number, path(source(1)));
    const { mock } = test.mock.method(PrefixMap.prototype, "set");
    for (let session = 1; session <= 100; session++) {
      table.expectAgain(true);
      table.announce(many[session]!, path(source(1)));
    }
    assert.equal(table.size, 5000);
    assert.ok(mock.callCount() <= 200, `${mock.callCount()} routes written`);
  });

  it("is not replayed from what another session made of it", () => {
    const [one, other] = [path(source(1)), path(source(1), { med: 1 })];
    let last: Path | undefined;
    const [number, later] = numbers as [PrefixNumber, PrefixNumber];
    const table = new AdjRibIn((of, told) => {
      if (of === number) last = told;
    });
    table.announce(number, one);
    table.expectAgain(false);
    table.announce(later, one);
    const replay = table.replay();
    replay.next();
    table.expectAgain(true);
    table.announce(number, other);
    while (!replay.next().done);
    assert.equal(last, other);
  });
});
