import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { prefix } from "../../lib/index.ts";
import type { BGPFilter, BGPFilterRule } from "../../model/index.ts";
import { refusingRule } from "./filter-verdict.ts";

const filter = (name: string, exportV4: BGPFilterRule[]): BGPFilter => ({
  ...{ apiVersion: "projectcalico.org/v3", kind: "BGPFilter" },
  metadata: { name },
  spec: { exportV4 },
});
const cidr = prefix("10.244.0.0/16");
const refused = (...rules: BGPFilterRule[]) => {
  const blocks = { cidr, blockLength: 26, direction: "export" } as const;
  return refusingRule(["f"], [filter("f", rules)], blocks) !== undefined;
};
const reject = (more: Partial<BGPFilterRule>): BGPFilterRule => ({ ...more, action: "Reject" });
const pool = { cidr: "10.244.0.0/16", matchOperator: "In" } as const;
const accept = (more: Partial<BGPFilterRule>): BGPFilterRule => ({ ...more, action: "Accept" });

const rows: [name: string, rules: BGPFilterRule[], expected: boolean][] = [
  ["no rules", [], false],
  ["everything", [reject({})], true],
  ["the pool", [reject(pool)], true],
  ["around the pool", [reject({ cidr: "10.0.0.0/8", matchOperator: "In" })], true],
  ["a part of the pool", [reject({ ...pool, cidr: "10.244.0.0/24" })], false],
  ["another network", [reject({ ...pool, cidr: "10.96.0.0/12" })], false],
  ["all but another network", [reject({ cidr: "10.96.0.0/12", matchOperator: "NotIn" })], true],
  ["all but the pool", [reject({ ...pool, matchOperator: "NotIn" })], false],
  ["the pool's CIDR itself", [reject({ ...pool, matchOperator: "Equal" })], false],
  ["all but the pool's CIDR itself", [reject({ ...pool, matchOperator: "NotEqual" })], true],
  ["single addresses", [reject({ ...pool, prefixLength: { min: 27 } })], false],
  ["up to blocks", [reject({ ...pool, prefixLength: { max: 26 } })], true],
  ["what others told", [reject({ source: "RemotePeers" })], false],
  ["by an interface", [reject({ interface: "eth0" })], false],
  ["where it depends", [reject({ peerType: "eBGP" })], false],
  ["accepted before", [accept(pool), reject({})], false],
  ["a part of it accepted before", [accept({ ...pool, cidr: "10.244.1.0/24" }), reject({})], false],
  [
    "another network accepted before",
    [accept({ ...pool, cidr: "10.96.0.0/12" }), reject({})],
    true,
  ],
  ["what others told accepted before", [accept({ source: "RemotePeers" }), reject({})], true],
  ["maybe accepted before", [accept({ priority: 1024 }), reject({})], false],
];
for (const [name, rules, expected] of rows) {
  test(`a filter refuses ${name}: ${expected}`, () => assert.equal(refused(...rules), expected));
}

test("filters are asked in their order, those of the direction, and missing ones passed over", () => {
  const blocks = { cidr, blockLength: 26, direction: "export" } as const;
  const filters = [filter("yes", [accept(pool)]), filter("no", [reject({})])];
  assert.equal(refusingRule(["gone", "no"], filters, blocks), "exportV4[0] of BGPFilter no");
  assert.equal(refusingRule(["yes", "no"], filters, blocks), undefined);
  assert.equal(refusingRule(["no"], filters, { ...blocks, direction: "import" }), undefined);
});

/** Each block by itself, as a speaker asks: the slow way. */
function passes(rules: readonly BGPFilterRule[], block: number): boolean {
  for (const rule of rules) {
    const { cidr: text = "0.0.0.0/0", matchOperator = "In", prefixLength = {} } = rule;
    const place = prefix(text);
    const { min = place.length, max = 32 } = prefixLength;
    const inside =
      Math.floor(block / 2 ** (32 - place.length)) ===
      Math.floor((place.address as number) / 2 ** (32 - place.length));
    const exact = matchOperator.endsWith("qual");
    const long =
      26 >= Math.max(min, place.length) && 26 <= (exact ? Math.min(max, place.length) : max);
    if ((inside && long) !== matchOperator.startsWith("Not")) return rule.action === "Accept";
  }
  return true;
}

test("what is said to be refused is refused block by block", () => {
  const place = fc.constantFrom(
    "10.244.0.0/16",
    "10.244.0.0/17",
    "10.244.128.0/17",
    "10.0.0.0/8",
    "10.244.0.0/26",
  );
  const length = fc.option(fc.constantFrom(16, 24, 26, 27, 32), { nil: undefined });
  const rule = fc.record({
    cidr: place,
    matchOperator: fc.constantFrom("In", "NotIn", "Equal", "NotEqual"),
    prefixLength: fc.record({ min: length, max: length }),
    action: fc.constantFrom("Accept", "Reject"),
  });
  const blocks = [0, 1, 511, 512, 1023].map((at) => (cidr.address as number) + at * 64);
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 4 }), (list) => {
      const rules = list as BGPFilterRule[];
      if (refused(...rules)) assert.ok(blocks.every((block) => !passes(rules, block)));
    }),
    { numRuns: 500 },
  );
});
