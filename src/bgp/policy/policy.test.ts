/** Which rules decide about a route and what they make of it; held against an interpreter of the rules. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type IpAddress,
  ipAddress,
  ipv4,
  isIpv4,
  type Prefix,
  prefix,
  prefixContains,
  prefixCovers,
} from "../../lib/index.ts";
import type { LargeCommunity } from "../types.ts";
import {
  asPathNumbers,
  encodeLargeCommunities,
  keyOfPrefix,
  largeCommunities,
  type PathAttributes,
  type PrefixKey,
  prefixOfKey,
} from "../wire/index.ts";
import {
  changeAttributes,
  compilePolicy,
  type PolicyRoute,
  type PolicyRule,
  type PrefixMatch,
  policyProblem,
  type RouteChanges,
  type RouteSource,
} from "./index.ts";

const plain: PathAttributes = { origin: "igp", asPath: [], nextHop: ipv4("192.0.2.5") };
const change = (route: PolicyRoute, changes: PolicyRule["set"] & {}): PolicyRoute => ({
  ...route,
  attributes: changeAttributes(route.attributes, changes),
});

function decide(
  rules: readonly PolicyRule[],
  asked: { prefix: string; source?: RouteSource; route?: Partial<PolicyRoute> },
) {
  const key = keyOfPrefix(prefix(asked.prefix));
  const route = { attributes: plain, ...asked.route };
  return compilePolicy(rules, "ebgp").apply(key, asked.source ?? "ebgp", route, change);
}

const reject = { action: "reject" } as const;
const within = (text: string, minimumLength?: number, maximumLength?: number): PrefixMatch => ({
  prefix: prefix(text),
  ...(minimumLength !== undefined && { minimumLength }),
  ...(maximumLength !== undefined && { maximumLength }),
});

describe("a rule matches", () => {
  const exact: PolicyRule = { ...reject, prefixes: [within("10.0.0.0/16")] };
  const bounded: PolicyRule = { ...reject, prefixes: [within("10.0.0.0/8", 24, 26)] };
  const equal: PolicyRule = { ...reject, prefixes: [within("10.0.0.0/16", 16, 16)] };
  const not: PolicyRule = { ...reject, notPrefixes: [within("10.0.0.0/16")] };
  const large: LargeCommunity = [4_200_000_000, 1, 2];
  const carrying: Partial<PolicyRoute> = {
    attributes: {
      ...plain,
      asPath: [
        { kind: "sequence", asns: [65001, 65002] },
        { kind: "sequence", asns: [65003] },
      ],
      communities: [7, 8],
      largeCommunities: encodeLargeCommunities([[1, 1, 1], large]),
      localPref: 300,
    },
  };
  const rows: [
    name: string,
    rule: PolicyRule,
    asked: Parameters<typeof decide>[1],
    matches: boolean,
  ][] = [
    ["everything", reject, { prefix: "10.0.0.0/8" }, true],
    ["covered", exact, { prefix: "10.0.5.0/24" }, true],
    ["itself", exact, { prefix: "10.0.0.0/16" }, true],
    ["shorter", exact, { prefix: "10.0.0.0/15" }, false],
    ["beside", exact, { prefix: "10.1.0.0/24" }, false],
    ["other family", exact, { prefix: "a00::/24" }, false],
    ["too long", bounded, { prefix: "10.0.0.0/27" }, false],
    ["too short", bounded, { prefix: "10.0.0.0/23" }, false],
    ["inside the bounds", bounded, { prefix: "10.0.0.0/26" }, true],
    ["equal", equal, { prefix: "10.0.0.0/16" }, true],
    ["not equal but inside", equal, { prefix: "10.0.0.0/17" }, false],
    ["not: covered", not, { prefix: "10.0.5.0/24" }, false],
    ["not: shorter", not, { prefix: "10.0.0.0/15" }, true],
    ["not: other family", not, { prefix: "a00::/24" }, true],
    [
      "default route covers all",
      { ...reject, prefixes: [within("0.0.0.0/0")] },
      { prefix: "255.0.0.0/8" },
      true,
    ],
    ["no prefix at all", { ...reject, prefixes: [] }, { prefix: "10.0.0.0/8" }, false],
    ["of another source", { ...reject, source: "ibgp" }, { prefix: "10.0.0.0/8" }, false],
    ["of the source", { ...reject, source: "ebgp" }, { prefix: "10.0.0.0/8" }, true],
    ["learned", { ...reject, source: "learned" }, { prefix: "10.0.0.0/8", source: "ibgp" }, true],
    [
      "not learned",
      { ...reject, source: "learned" },
      { prefix: "10.0.0.0/8", source: "originated" },
      false,
    ],
    ["of the peer", { ...reject, peerType: "ebgp" }, { prefix: "10.0.0.0/8" }, true],
    ["of another peer", { ...reject, peerType: "ibgp" }, { prefix: "10.0.0.0/8" }, false],
    ...(
      [
        ["a community", { communities: [8] }, true],
        ["both communities", { communities: [8, 7] }, true],
        ["one of two communities", { communities: [8, 9] }, false],
        ["a large community", { largeCommunities: [large] }, true],
        ["another large community", { largeCommunities: [[4_200_000_000, 1, 3]] }, false],
        ["the path's beginning", { asPathPrefix: [65001] }, true],
        ["the whole path, across segments", { asPathPrefix: [65001, 65002, 65003] }, true],
        ["more than the path", { asPathPrefix: [65001, 65002, 65003, 65004] }, false],
        ["the path's middle as its beginning", { asPathPrefix: [65002] }, false],
        ["what is in the path", { asPathContains: [65003, 65001] }, true],
        ["what is not in the path", { asPathContains: [65003, 65004] }, false],
        ["a local preference", { localPref: 300 }, true],
        ["another local preference", { localPref: 100 }, false],
        ["the next hop", { nextHops: [prefix("192.0.2.0/24")] }, true],
        ["another next hop", { nextHops: [prefix("198.51.100.0/24")] }, false],
        ["a device, which a learned route has not", { devices: ["*"] }, false],
      ] as const
    ).map(([name, rule, matches]): (typeof rows)[number] => [
      name,
      { ...reject, ...rule },
      { prefix: "10.0.0.0/8", route: carrying },
      matches,
    ]),
    [
      "the next hop it was learned with",
      { ...reject, nextHops: [prefix("198.51.100.0/24")] },
      { prefix: "10.0.0.0/8", route: { learnedNextHop: ipv4("198.51.100.1") } },
      true,
    ],
    ["no local preference: 100", { ...reject, localPref: 100 }, { prefix: "10.0.0.0/8" }, true],
    ...(
      [
        ["cali*", true],
        ["cali12", true],
        ["*1*", true],
        ["cali", false],
        ["eth*", false],
        ["cali.2", false],
      ] as const
    ).map(([glob, matches]): (typeof rows)[number] => [
      `device cali12 by ${glob}`,
      { ...reject, devices: ["x", glob] },
      { prefix: "10.0.0.1/32", source: "originated", route: { device: "cali12" } },
      matches,
    ]),
  ];
  for (const [name, rule, asked, matches] of rows) {
    it(name, () => assert.equal(decide([rule], asked) === undefined, matches));
  }
});

describe("policy", () => {
  it("is decided by the first rule that accepts or rejects, and accepts where none does", () => {
    const some = { prefixes: [within("10.0.0.0/16")] };
    const rules: PolicyRule[] = [{ ...some, action: "accept" }, reject];
    assert.ok(decide(rules, { prefix: "10.0.1.0/24" }));
    assert.equal(decide(rules, { prefix: "10.1.1.0/24" }), undefined);
    assert.ok(decide([{ ...some, action: "reject" }], { prefix: "10.1.1.0/24" }));
  });

  it("shows later rules what a rule before them has set", () => {
    const rules: PolicyRule[] = [
      { action: "continue", set: { localPref: 200, communities: { add: [1] } } },
      { action: "continue", localPref: 200, communities: [1], set: { prependAsPath: [1, 2] } },
      { action: "accept", asPathPrefix: [1, 2] },
      reject,
    ];
    assert.deepEqual(decide(rules, { prefix: "10.0.0.0/8" })?.attributes, {
      ...plain,
      localPref: 200,
      communities: [1],
      asPath: [{ kind: "sequence", asns: [1, 2] }],
    });
  });

  it("gives back the route itself where nothing changes it", () => {
    const route: PolicyRoute = { attributes: { ...plain, med: 5, communities: [3] } };
    const set = {
      med: 5,
      communities: { remove: [4], add: [3] },
      largeCommunities: { remove: [] },
    };
    const rules: PolicyRule[] = [{ action: "accept", set }];
    const passed = compilePolicy(rules, "ibgp").apply(0, "ibgp", route, (same, changes) =>
      changeAttributes(same.attributes, changes) === same.attributes ? same : change(same, changes),
    );
    assert.equal(passed, route);
  });

  it("gives an IPv6 route no IPv4 next hop", () => {
    const rules: PolicyRule[] = [{ action: "accept", set: { nextHop: ipv4("192.0.2.9"), med: 1 } }];
    const attributes = { ...plain, nextHop: ipAddress("2001:db8::1") };
    const passed = decide(rules, { prefix: "2001:db8::/32", route: { attributes } });
    assert.deepEqual(passed?.attributes, { ...attributes, med: 1 });
  });

  it("names the rule that rejects, by its place among all", () => {
    const rules: PolicyRule[] = [
      { peerType: "ibgp", action: "reject" },
      { source: "originated", action: "reject" },
      { action: "continue", set: { med: 1 } },
      reject,
    ];
    const asked = { key: 0, source: "ebgp", route: { attributes: plain } } as const;
    assert.equal(compilePolicy(rules, "ebgp").rejecting(asked, change), 3);
    assert.equal(compilePolicy([], "ebgp").rejecting(asked, change), undefined);
  });

  it("is refused where it makes no sense", () => {
    const problems: [PolicyRule, string][] = [
      [{ action: "accept", communities: [-1] }, "rule 0: communities: -1 is"],
      [
        { action: "accept", set: { largeCommunities: { add: [[0, 2 ** 32, 0]] } } },
        "rule 0: largeC",
      ],
      [{ action: "accept", set: { prependAsPath: [0] } }, "rule 0: set.prependAsPath: 0 is"],
      [{ action: "accept", set: { prependAsPath: Array(256).fill(1) } }, "rule 0: set.prepend"],
      [{ action: "accept", set: { med: 1.5 } }, "rule 0: set.med: 1.5 is"],
      [{ action: "accept", prefixes: [within("10.0.0.0/8", 8, 33)] }, "rule 0: prefixes: a length"],
    ];
    for (const [rule, words] of problems) {
      assert.ok(policyProblem([rule])?.startsWith(words), `${words}: ${policyProblem([rule])}`);
    }
    assert.equal(policyProblem([{ action: "accept", asPathPrefix: [1] }]), undefined);
  });
});

/** The rules one after another, as their types describe them. */
function interpret(
  rules: readonly PolicyRule[],
  asked: { prefix: Prefix; source: RouteSource; attributes: PathAttributes; device?: string },
): PathAttributes | undefined {
  let { attributes } = asked;
  for (const rule of rules) {
    if (!matches(rule, { ...asked, attributes })) continue;
    if (rule.action === "reject") return undefined;
    attributes = changed(attributes, rule.set ?? {}, isIpv4(asked.prefix.address));
    if (rule.action === "accept") return attributes;
  }
  return attributes;
}

function matches(rule: PolicyRule, asked: Parameters<typeof interpret>[1]): boolean {
  const { attributes, source } = asked;
  const inside = (list: readonly PrefixMatch[]) =>
    list.some(
      ({ prefix: outer, minimumLength = 0, maximumLength = 128 }) =>
        prefixCovers(outer, asked.prefix) &&
        asked.prefix.length >= minimumLength &&
        asked.prefix.length <= maximumLength,
    );
  const path = asPathNumbers(attributes.asPath);
  const large = largeCommunities(attributes.largeCommunities).map((each) => each.join(":"));
  return [
    !rule.prefixes || inside(rule.prefixes),
    !rule.notPrefixes || !inside(rule.notPrefixes),
    !rule.source || (rule.source === "learned" ? source !== "originated" : source === rule.source),
    !rule.peerType || rule.peerType === "ebgp",
    (rule.communities ?? []).every((each) => attributes.communities?.includes(each)),
    (rule.largeCommunities ?? []).every((each) => large.includes(each.join(":"))),
    (rule.asPathPrefix ?? []).every((as, at) => path[at] === as),
    (rule.asPathContains ?? []).every((as) => path.includes(as)),
    !rule.nextHops ||
      (source !== "originated" &&
        rule.nextHops.some((each) => prefixContains(each, attributes.nextHop))),
    rule.localPref === undefined || rule.localPref === (attributes.localPref ?? 100),
    !rule.devices || (source === "originated" && rule.devices.includes(asked.device ?? "")),
  ].every(Boolean);
}

function changed(
  attributes: PathAttributes,
  set: PolicyRule["set"] & {},
  ofIpv4: boolean,
): PathAttributes {
  const usable = set.nextHop !== undefined && (ofIpv4 || !isIpv4(set.nextHop));
  const standard = list(attributes.communities ?? [], set.communities, (each) => `${each}`);
  const large = list(largeCommunities(attributes.largeCommunities), set.largeCommunities, (each) =>
    each.join(),
  );
  return {
    origin: "igp",
    nextHop: usable ? (set.nextHop as IpAddress) : attributes.nextHop,
    asPath: [
      {
        kind: "sequence",
        asns: [...(set.prependAsPath ?? []), ...asPathNumbers(attributes.asPath)],
      },
    ],
    ...optional("med", set.med ?? attributes.med),
    ...optional("localPref", set.localPref ?? attributes.localPref),
    ...(standard.length > 0 ? { communities: standard } : {}),
    ...(large.length > 0 ? { largeCommunities: encodeLargeCommunities(large) } : {}),
  };
}

function list<T>(
  before: readonly T[],
  set: { replace?: readonly T[]; remove?: readonly T[]; add?: readonly T[] } = {},
  text: (item: T) => string,
): T[] {
  const gone = new Set((set.remove ?? []).map(text));
  const kept = (set.replace ?? before).filter((item) => !gone.has(text(item)));
  const all = new Map(kept.map((item) => [text(item), item]));
  for (const item of set.add ?? []) if (!all.has(text(item))) all.set(text(item), item);
  return [...all.values()];
}

function optional<K extends string>(name: K, value: number | undefined) {
  return (value === undefined ? {} : { [name]: value }) as { [key in K]?: number };
}

describe("policy, by chance", () => {
  // Few values, so that rules and routes meet.
  const small = fc.integer({ min: 1, max: 3 });
  const large = fc.tuple(fc.constant(1), fc.nat(1), fc.nat(1)) as fc.Arbitrary<LargeCommunity>;
  const prefix4 = fc
    .tuple(fc.nat(15), fc.constantFrom(0, 8, 9, 10, 11, 12, 32))
    .map(([bits, length]) => keyOfPrefix(prefix(`10.${bits * 16}.0.0/${length}`)));
  const prefix6 = fc
    .tuple(fc.nat(15), fc.constantFrom(0, 28, 30, 32, 128))
    .map(([bits, length]) => keyOfPrefix(prefix(`2001:db${bits.toString(16)}::/${length}`)));
  const key: fc.Arbitrary<PrefixKey> = fc.oneof(prefix4, prefix6);
  const match = fc
    .tuple(key, fc.option(fc.nat(32)), fc.option(fc.nat(32)))
    .map(([each, minimum, maximum]): PrefixMatch => {
      const { address, length } = prefixOfKey(each);
      return {
        prefix: { address, length },
        ...(minimum !== null && { minimumLength: minimum }),
        ...(maximum !== null && { maximumLength: maximum }),
      };
    });
  const listChanges = <T>(item: fc.Arbitrary<T>) =>
    fc.record(
      {
        replace: fc.uniqueArray(item, { maxLength: 3, selector: String }),
        remove: fc.array(item, { maxLength: 3 }),
        add: fc.array(item, { maxLength: 3 }),
      },
      { requiredKeys: [] },
    );
  const nextHop = fc.constantFrom<IpAddress>(
    ipv4("192.0.2.5"),
    ipv4("198.51.100.1"),
    ipAddress("2001:db8::1"),
  );
  const asks: fc.Arbitrary<Omit<PolicyRule, "action" | "set">> = fc.record({
    prefixes: fc.array(match, { maxLength: 6 }),
    notPrefixes: fc.array(match, { maxLength: 6 }),
    source: fc.constantFrom("originated", "ibgp", "ebgp", "learned"),
    peerType: fc.constantFrom("ibgp", "ebgp"),
    communities: fc.array(small, { maxLength: 2 }),
    largeCommunities: fc.array(large, { maxLength: 2 }),
    asPathPrefix: fc.array(small, { maxLength: 2 }),
    asPathContains: fc.array(small, { maxLength: 2 }),
    nextHops: fc.constantFrom([prefix("192.0.2.0/24")], [prefix("::/0")]),
    localPref: fc.constantFrom(100, 200),
    devices: fc.constantFrom(["cali1"], ["cali1", "cali2"]),
  });
  const set: fc.Arbitrary<RouteChanges> = fc.record({
    localPref: fc.constantFrom(100, 200),
    med: small,
    nextHop,
    communities: listChanges(small),
    largeCommunities: listChanges(large),
    prependAsPath: fc.array(small, { maxLength: 3 }),
  });
  // Of each only a few, so that rules match at all.
  const some = <T extends object>(whole: fc.Arbitrary<T>, maximum: number) =>
    whole.chain((all) =>
      fc
        .subarray(Object.entries(all), { maxLength: maximum })
        .map((entries) => Object.fromEntries(entries) as Partial<T>),
    );
  const action = fc.constantFrom<PolicyRule["action"]>("accept", "reject", "continue", "continue");
  const rule: fc.Arbitrary<PolicyRule> = fc
    .tuple(some(asks, 2), some(set, 3), action)
    .map(([asked, changes, decided]) => ({ ...asked, set: changes, action: decided }));

  it("does what its rules say", () => {
    const attributes = fc
      .record({
        nextHop,
        path: fc.array(small, { maxLength: 3 }),
        communities: fc.uniqueArray(small, { maxLength: 3 }),
        large: fc.uniqueArray(large, { maxLength: 3, selector: String }),
        localPref: fc.option(fc.constantFrom(100, 200)),
      })
      .map(
        ({ nextHop: via, path, communities, large: listed, localPref }): PathAttributes => ({
          origin: "igp",
          nextHop: via,
          asPath: path.length > 0 ? [{ kind: "sequence", asns: path }] : [],
          ...(communities.length > 0 && { communities }),
          ...(listed.length > 0 && { largeCommunities: encodeLargeCommunities(listed) }),
          ...(localPref !== null && { localPref }),
        }),
      );
    const source = fc.constantFrom<RouteSource>("originated", "ibgp", "ebgp");
    const device = fc.constantFrom(undefined, "cali1", "cali2");
    let rejected = 0;
    let changes = 0;
    fc.assert(
      fc.property(
        fc.record({ rules: fc.array(rule, { maxLength: 6 }), key, source, attributes, device }),
        (chance) => {
          const { rules, source: from, attributes: before } = chance;
          const route = { attributes: before, device: chance.device };
          const passed = compilePolicy(rules, "ebgp").apply(chance.key, from, route, change);
          const expected = interpret(rules, {
            prefix: prefixOfKey(chance.key),
            source: from,
            attributes: before,
            ...(chance.device && { device: chance.device }),
          });
          if (expected === undefined) rejected++;
          if (passed && passed.attributes !== before) changes++;
          const plainly = (read: PathAttributes | undefined) =>
            read && { ...read, asPath: asPathNumbers(read.asPath) };
          assert.deepEqual(plainly(passed?.attributes), plainly(expected));
        },
      ),
      { numRuns: 2000 },
    );
    assert.ok(rejected > 100 && changes > 100, `${rejected} rejected, ${changes} changed`);
  });

  it("finds prefixes in long lists", () => {
    fc.assert(
      fc.property(fc.array(match, { maxLength: 60 }), fc.array(key), (entries, keys) => {
        const policy = compilePolicy([{ prefixes: entries, action: "reject" }], "ibgp");
        for (const each of keys) {
          const asked = { prefix: prefixOfKey(each), source: "ibgp", attributes: plain } as const;
          const expected = matches({ prefixes: entries, action: "reject" }, asked);
          const found = policy.apply(each, "ibgp", { attributes: plain }, change) === undefined;
          assert.equal(found, expected);
        }
      }),
      { numRuns: 500 },
    );
  });
});
