/** Which rule decides about a route; prefix matching against the library's own. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { maskPrefix, type Prefix, prefix, prefixCovers } from "../../lib/index.ts";
import type { PolicyRule } from "../types.ts";
import { key4, key6 } from "../wire/arbitraries.ts";
import { keyOfPrefix, prefixOfKey } from "../wire/index.ts";
import { compilePolicy } from "./index.ts";

describe("policy", () => {
  const exact: PolicyRule = { prefixes: [{ prefix: prefix("10.0.0.0/16") }], action: "reject" };
  const rows: [name: string, rule: PolicyRule, route: string, matches: boolean][] = [
    ["everything", { action: "reject" }, "10.0.0.0/8", true],
    ["covered", exact, "10.0.5.0/24", true],
    ["itself", exact, "10.0.0.0/16", true],
    ["shorter", exact, "10.0.0.0/15", false],
    ["beside", exact, "10.1.0.0/24", false],
    ["other family", exact, "a00::/24", false],
    [
      "default route covers all",
      { prefixes: [{ prefix: prefix("0.0.0.0/0") }], action: "reject" },
      "255.0.0.0/8",
      true,
    ],
    ["too long", bounded(24, 26), "10.0.0.0/27", false],
    ["too short", bounded(24, 26), "10.0.0.0/23", false],
    ["inside the bounds", bounded(24, 26), "10.0.0.0/26", true],
    ["of another source", { source: "ibgp", action: "reject" }, "10.0.0.0/8", false],
    ["of the source", { source: "ebgp", action: "reject" }, "10.0.0.0/8", true],
  ];
  for (const [name, rule, route, matches] of rows) {
    it(name, () => {
      const found = compilePolicy([rule])(keyOfPrefix(prefix(route)), "ebgp");
      assert.equal(found, matches ? rule : undefined);
    });
  }

  it("the first match decides", () => {
    const policy = compilePolicy([{ ...exact, action: "accept" }, { action: "reject" }]);
    assert.equal(policy(keyOfPrefix(prefix("10.0.1.0/24")), "ebgp")?.action, "accept");
    assert.equal(policy(keyOfPrefix(prefix("10.1.1.0/24")), "ebgp")?.action, "reject");
  });

  it("matches as prefixCovers says", () => {
    const key = fc.oneof(key4, key6);
    fc.assert(
      fc.property(key, key, fc.boolean(), (outerKey, randomKey, related) => {
        const outer: Prefix = prefixOfKey(outerKey);
        const random = prefixOfKey(randomKey);
        const inner = related
          ? maskPrefix({ address: outer.address, length: outer.length })
          : random;
        const rule: PolicyRule = { prefixes: [{ prefix: outer }], action: "reject" };
        const found = compilePolicy([rule])(keyOfPrefix(inner), "ibgp") !== undefined;
        assert.equal(found, prefixCovers(outer, inner));
      }),
    );
  });
});

function bounded(minimumLength: number, maximumLength: number): PolicyRule {
  const match = { prefix: prefix("10.0.0.0/8"), minimumLength, maximumLength };
  return { prefixes: [match], action: "reject" };
}
