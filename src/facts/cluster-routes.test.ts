/** Every pair of values, and what stands for a value that is not set. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { BGPConfiguration, FelixConfiguration } from "../model/index.ts";
import { clusterRoutes } from "./cluster-routes.ts";

type Value = FelixConfiguration["spec"]["programClusterRoutes"];

const named = (name: string, programClusterRoutes: Value) =>
  ({
    apiVersion: "projectcalico.org/v3",
    metadata: { name },
    spec: programClusterRoutes ? { programClusterRoutes } : {},
  }) as const;

function routes(felix: Value, bgp: Value, ofNode?: Value): string {
  const felixConfigurations: FelixConfiguration[] = [
    { ...named("default", felix), kind: "FelixConfiguration" },
    { ...named("node.a", ofNode), kind: "FelixConfiguration" },
  ];
  const bgpConfigurations: BGPConfiguration[] = [
    { ...named("default", bgp), kind: "BGPConfiguration" },
    // It holds for all nodes alike.
    { ...named("node.a", "Disabled"), kind: "BGPConfiguration" },
  ];
  const found = clusterRoutes({ felixConfigurations, bgpConfigurations }, "a");
  return found === undefined ? "unset" : `ipip ${found.ipip}, none ${found.noEncap}`;
}

const pairs: [felix: Value, bgp: Value, expected: string][] = [
  // Those that Calico supports.
  ["EnabledIPIPOnly", "EnabledNoEncapOnly", "ipip datastore, none bgp"],
  ["Enabled", "Disabled", "ipip datastore, none datastore"],
  ["Disabled", "Enabled", "ipip bgp, none bgp"],
  ["EnabledNoEncapOnly", "EnabledIPIPOnly", "ipip bgp, none datastore"],
  // Others.
  ["Disabled", "Disabled", "ipip nobody, none nobody"],
  ["Enabled", "Enabled", "ipip either, none either"],
  ["EnabledIPIPOnly", "EnabledIPIPOnly", "ipip either, none nobody"],
  ["EnabledNoEncapOnly", "EnabledNoEncapOnly", "ipip nobody, none either"],
  // One of them, with Calico's default for the other.
  ["Enabled", undefined, "ipip datastore, none either"],
  [undefined, "Enabled", "ipip either, none bgp"],
  [undefined, "Disabled", "ipip datastore, none nobody"],
  [undefined, undefined, "unset"],
];
for (const [felix, bgp, expected] of pairs) {
  test(`programClusterRoutes of Felix ${felix}, of BGP ${bgp}: ${expected}`, () => {
    assert.equal(routes(felix, bgp), expected);
  });
}

test("a node's FelixConfiguration goes before that of all", () => {
  assert.equal(routes("Disabled", "Disabled", "Enabled"), "ipip datastore, none datastore");
});
