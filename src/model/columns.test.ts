import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ExposedKind, exposedKinds, kindAliases, kindFromAlias } from "./aliases.ts";
import { findColumn, kindColumns } from "./columns.ts";
import { decodeResource } from "./decode.ts";
import { kindTable } from "./kinds/index.ts";

const context = { globalAsNumber: "64512" };

describe("aliases", () => {
  test("every kind goes by its own name and its plural, in any case", () => {
    for (const kind of exposedKinds) {
      assert.equal(kindFromAlias(kind), kind);
      assert.equal(kindFromAlias(kindTable[kind].plural.toUpperCase()), kind);
    }
  });

  test("no alias means two kinds", () => {
    const all = exposedKinds.flatMap((kind) => kindAliases[kind]);
    assert.equal(new Set(all).size, all.length);
  });

  const strangers = ["", "ippoolz", "ippools.projectcalico.org", "ipamblock", "constructor"];
  for (const name of strangers) {
    test(`${JSON.stringify(name)} names no kind`, () => {
      assert.equal(kindFromAlias(name), undefined);
    });
  }
});

describe("columns", () => {
  test("every heading that is shown has a cell", () => {
    for (const kind of exposedKinds) {
      const { byDefault, wide } = kindColumns[kind];
      for (const heading of [...byDefault, ...wide]) {
        assert.ok(findColumn(kind, heading), `${kind} has no column ${heading}`);
      }
    }
  });

  test("every cell of an empty resource is text", () => {
    for (const kind of exposedKinds) {
      const { apiVersion } = kindTable[kind];
      const resource = decodeResource({ apiVersion, kind, metadata: { name: "x" }, spec: {} });
      for (const column of kindColumns[kind].all) {
        const cell = column.cell as (resource: unknown, context: unknown) => string;
        assert.equal(typeof cell(resource, context), "string", `${kind} ${column.heading}`);
      }
    }
  });

  const cells: readonly (readonly [string, string, object, string])[] = [
    ["IPPool", "IPIPMODE", { cidr: "10.0.0.0/16" }, "Never"],
    ["IPPool", "VXLANMODE", { cidr: "10.0.0.0/16", vxlanMode: "Always" }, "Always"],
    ["BGPConfiguration", "MESHENABLED", {}, "-"],
    ["BGPConfiguration", "MESHENABLED", { nodeToNodeMeshEnabled: false }, "false"],
    ["BGPConfiguration", "ASNUMBER", { asNumber: 65001 }, "65001"],
    ["BGPFilter", "NUMEXPORTV4", {}, "0"],
    ["BGPFilter", "NUMIMPORTV6", { importV6: [{ action: "Accept" }] }, "1"],
    ["BGPPeer", "NODE", {}, "(global)"],
    ["BGPPeer", "NODE", { nodeSelector: "rack == '1'" }, "rack == '1'"],
    ["BGPPeer", "NODE", { node: "n1" }, "n1"],
    ["BGPPeer", "ASN", {}, "0"],
    ["Node", "ASN", {}, ""],
    ["Node", "ASN", { bgp: { ipv4Address: "10.0.0.1/24" } }, "(64512)"],
    ["Node", "ASN", { bgp: { asNumber: 65001 } }, "65001"],
    ["ClusterInformation", "DATASTOREREADY", {}, "<nil>"],
    ["ClusterInformation", "DATASTOREREADY", { datastoreReady: true }, "true"],
    ["Service", "CLUSTER-IP", { clusterIP: "10.96.0.9" }, "10.96.0.9"],
    ["Service", "CLUSTER-IP", { clusterIP: "a", clusterIPs: ["a", "fd00::9"] }, "a,fd00::9"],
    ["Service", "EXTERNAL-IP", { externalIPs: ["192.0.2.1"] }, "192.0.2.1"],
    ["Service", "POLICY", {}, "Cluster"],
    ["WorkloadEndpoint", "WORKLOAD", { pod: "p" }, "p"],
    ["WorkloadEndpoint", "WORKLOAD", { pod: "p", workload: "w" }, "w"],
    [
      "WorkloadEndpoint",
      "NETWORKS",
      { ipNetworks: ["10.0.0.1/32", "10.0.0.2/32"] },
      "10.0.0.1/32,10.0.0.2/32",
    ],
  ];
  for (const [kind, heading, spec, expected] of cells) {
    test(`${kind} ${heading} of ${JSON.stringify(spec)} is ${JSON.stringify(expected)}`, () => {
      const { apiVersion } = kindTable[kind as ExposedKind];
      const resource = decodeResource({ apiVersion, kind, metadata: { name: "x" }, spec });
      const column = findColumn(kind as "IPPool", heading);
      assert.equal(column?.cell(resource as never, context), expected);
    });
  }
});
