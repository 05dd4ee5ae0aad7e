/** BGPFilter: which rules are taken, and what is said of others. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseCommunity } from "../community.ts";
import { build, refusalOf, tagged } from "./rules.test-support.ts";

const accept = { action: "Accept" };
const inside = { cidr: "10.0.0.0/8", matchOperator: "In", ...accept };
const at = (path: string, reason: string) => `error with field ${path} (${reason})`;
const operation = (what: object) => ({ ...accept, operations: [what] });

describe("BGPFilter", () => {
  const rows: [name: string, rule: object, message: string][] = [
    ["nothing but an action", accept, ""],
    [
      "everything",
      {
        ...inside,
        prefixLength: { min: 16, max: 24 },
        source: "RemotePeers",
        interface: "eth*",
        peerType: "eBGP",
        communities: { values: ["65000:1:4294967295"] },
        asPathPrefix: [65000, "1.1"],
        priority: 1,
        operations: [
          { addCommunity: { value: "65535:0" } },
          { prependASPath: { prefix: [65000, 65001] } },
          { setPriority: { value: 2_147_483_646 } },
        ],
      },
      "",
    ],
    ["no action", {}, tagged("Action", "", "required")],
    ["host bits", { ...inside, cidr: "10.0.0.1/8" }, tagged("CIDR", "10.0.0.1/8", "netv4")],
    ["the other family", { ...inside, cidr: "fd00::/8" }, tagged("CIDR", "fd00::/8", "netv4")],
    [
      "an address alone",
      { ...inside, cidr: "10.0.0.1" },
      at("spec.exportV4[0].cidr", 'spec.exportV4[0].cidr in body must be of type cidr: "10.0.0.1"'),
    ],
    [
      "no operator",
      { cidr: "10.0.0.0/8", ...accept },
      at("spec.exportV4[0]", "cidr and matchOperator must both be set or both be empty"),
    ],
    [
      "no cidr",
      { matchOperator: "NotIn", ...accept },
      at("spec.exportV4[0]", "cidr and matchOperator must both be set or both be empty"),
    ],
    [
      "lengths of nothing",
      { prefixLength: {}, ...accept },
      at("spec.exportV4[0]", "cidr is required when prefixLength is set"),
    ],
    [
      "a length that IPv4 has not",
      { ...inside, prefixLength: { max: 33 } },
      tagged("Max", "33", "bgpFilterPrefixLengthV4"),
    ],
    [
      "an interface",
      { ...accept, interface: "eth+" },
      tagged("Interface", "eth+", "bgpFilterInterface"),
    ],
    [
      "no community",
      { ...accept, communities: { values: [] } },
      at(
        "spec.exportV4[0].communities.values",
        "spec.exportV4[0].communities.values in body should have at least 1 items",
      ),
    ],
    [
      "two communities",
      { ...accept, communities: { values: ["1:1", "1:2"] } },
      at(
        "spec.exportV4[0].communities.values",
        "spec.exportV4[0].communities.values in body should have at most 1 items",
      ),
    ],
    [
      "priority 0",
      { ...accept, priority: 0 },
      at(
        "spec.exportV4[0].priority",
        "spec.exportV4[0].priority in body should be greater than or equal to 1",
      ),
    ],
    [
      "operations of a rule that rejects",
      { ...operation({ setPriority: { value: 1 } }), action: "Reject" },
      at("spec.exportV4[0]", "operations may only be used with action Accept"),
    ],
    [
      "an operation that is two",
      operation({ setPriority: { value: 1 }, addCommunity: { value: "1:1" } }),
      at("spec.exportV4[0].operations[0]", "exactly one operation must be set"),
    ],
    [
      "an operation that is none",
      operation({}),
      at("spec.exportV4[0].operations[0]", "exactly one operation must be set"),
    ],
    [
      "a community of neither kind",
      operation({ addCommunity: { value: "65536:1" } }),
      at(
        "spec.exportV4[0].operations[0].addCommunity.value",
        "spec.exportV4[0].operations[0].addCommunity.value in body should be a community, aa:nn of 16 bits or aa:nn:mm of 32 bits each",
      ),
    ],
    [
      "AS 0",
      operation({ prependASPath: { prefix: [0] } }),
      at(
        "spec.exportV4[0].operations[0].prependASPath.prefix",
        "AS 0 cannot stand in a path (RFC 7607)",
      ),
    ],
    [
      "a path of eleven",
      operation({ prependASPath: { prefix: Array(11).fill(1) } }),
      at(
        "spec.exportV4[0].operations[0].prependASPath.prefix",
        "spec.exportV4[0].operations[0].prependASPath.prefix in body should have at most 10 items",
      ),
    ],
  ];
  for (const [name, rule, message] of rows) {
    test(name, () => assert.equal(refusalOf(build("BGPFilter", { exportV4: [rule] })), message));
  }

  test("IPv6 has rules of its own", () => {
    const rule = { cidr: "fd00::/8", matchOperator: "Equal", action: "Reject" };
    const refusal = (more: object) =>
      refusalOf(build("BGPFilter", { importV6: [{ ...rule, ...more }] }));
    assert.equal(refusal({ prefixLength: { min: 8, max: 128 } }), "");
    assert.equal(
      refusal({ prefixLength: { max: 129 } }),
      tagged("Max", "129", "bgpFilterPrefixLengthV6"),
    );
    assert.equal(refusal({ cidr: "10.0.0.0/8" }), tagged("CIDR", "10.0.0.0/8", "netv6"));
  });

  test("what is imported comes from remote peers anyway", () => {
    const rules = [{ ...accept, source: "RemotePeers" }];
    assert.equal(
      refusalOf(build("BGPFilter", { importV4: rules })),
      at("spec.importV4", "source is not applicable to import rules"),
    );
    assert.equal(refusalOf(build("BGPFilter", { exportV6: rules })), "");
  });
});

test("communities are read strictly", () => {
  assert.deepEqual(parseCommunity("0:65535"), [0, 65535]);
  assert.deepEqual(parseCommunity("4294967295:0:1"), [4294967295, 0, 1]);
  for (const text of ["", "1", "01:1", "1:65536", "1:1:4294967296", "1:1:1:1", "-1:1", "1: 1"]) {
    assert.equal(parseCommunity(text), undefined, text);
  }
});
