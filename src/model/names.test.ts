import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { mergePatch } from "./merge-patch.ts";
import { isSubdomain } from "./names.ts";
import { poolMode } from "./pool-mode.ts";
import {
  parseWorkloadEndpointName,
  type WorkloadEndpointIdentifiers,
  workloadEndpointName,
  workloadEndpointNamePrefix,
} from "./workload-endpoint-name.ts";

test("subdomain names", () => {
  for (const good of ["a", "a.b-c.d", "0", "a".repeat(253)]) assert.ok(isSubdomain(good), good);
  for (const bad of ["", "A", "-a", "a-", "a..b", "a_b", "a\n", "a".repeat(254)]) {
    assert.ok(!isSubdomain(bad), bad);
  }
});

test("a pool's two fields as one mode", () => {
  const rows: [fields: Parameters<typeof poolMode>[0], mode: string][] = [
    [{}, "None"],
    [{ ipipMode: "Never", vxlanMode: "Never" }, "None"],
    [{ ipipMode: "Always", vxlanMode: "Never" }, "IPIPAlways"],
    [{ ipipMode: "CrossSubnet" }, "IPIPCrossSubnet"],
    [{ vxlanMode: "Always" }, "VXLANAlways"],
    [{ ipipMode: "Never", vxlanMode: "CrossSubnet" }, "VXLANCrossSubnet"],
  ];
  for (const [fields, mode] of rows) assert.equal(poolMode(fields), mode);
});

test("workload endpoint names follow from the identifiers, and give them back", () => {
  const rows: [identifiers: WorkloadEndpointIdentifiers, name: string][] = [
    [
      { node: "node-1", orchestrator: "k8s", pod: "pod-name", endpoint: "eth0" },
      "node--1-k8s-pod--name-eth0",
    ],
    [
      { node: "node-1", orchestrator: "cni", containerID: "abcdefa0123456", endpoint: "eth0" },
      "node--1-cni-abcdefa0123456-eth0",
    ],
    [
      { node: "node-1", orchestrator: "libnetwork", endpoint: "abcdefgh" },
      "node--1-libnetwork-libnetwork-abcdefgh",
    ],
    [
      { node: "node-1", orchestrator: "foo", workload: "foo-foo", endpoint: "abcdefgh" },
      "node--1-foo-foo--foo-abcdefgh",
    ],
  ];
  for (const [identifiers, name] of rows) {
    assert.equal(workloadEndpointName(identifiers), name);
    assert.deepEqual(parseWorkloadEndpointName(name), identifiers);
    assert.equal(workloadEndpointNamePrefix(identifiers), name);
  }
  assert.equal(workloadEndpointNamePrefix({ node: "node-1" }), "node--1-");
  assert.equal(workloadEndpointNamePrefix({ node: "node-1", orchestrator: "k8s" }), "node--1-k8s-");
});

test("identifiers that cannot make a name are named", () => {
  const full = { node: "n", orchestrator: "k8s", pod: "p", endpoint: "e" };
  const rows: [identifiers: WorkloadEndpointIdentifiers, message: string][] = [
    [{ ...full, node: "" }, "error with field node (field should be assigned)"],
    [{ ...full, pod: "" }, "error with field pod (field should be assigned)"],
    [{ ...full, pod: "-p" }, "error with field pod = '-p' (field must not begin with a '-')"],
    [
      { ...full, endpoint: "e-" },
      "error with field endpoint = 'e-' (field must not end with a '-')",
    ],
    [
      { node: "n", orchestrator: "cni", endpoint: "e" },
      "error with field containerID (field should be assigned)",
    ],
  ];
  for (const [identifiers, message] of rows) {
    assert.throws(() => workloadEndpointName(identifiers), { name: "SwitchyardError", message });
  }
  assert.throws(() => parseWorkloadEndpointName(""), { message: "Cannot parse empty string" });
  assert.throws(() => parseWorkloadEndpointName("a-k8s-c-d-e"), {
    message: "Error parsing a-k8s-c-d-e, verify that WorkloadEndpoint name is correct",
  });
});

test("any identifiers come back from their name", () => {
  const segment = fc.stringMatching(/^[a-z0-9](-{0,3}[a-z0-9]){0,8}$/);
  const identifiers = fc.record({
    node: segment,
    orchestrator: fc.constant("k8s"),
    pod: segment,
    endpoint: segment,
  });
  fc.assert(
    fc.property(identifiers, (them) => {
      assert.deepEqual(parseWorkloadEndpointName(workloadEndpointName(them)), { ...them });
    }),
  );
});

test("merge patches as RFC 7386 appendix A has them", () => {
  const rows: [target: unknown, patch: unknown, result: unknown][] = [
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ],
    [{ a: "b" }, ["c"], ["c"]],
    [{ a: "foo" }, null, null],
    [{ a: "foo" }, "bar", "bar"],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, result] of rows) {
    const before = structuredClone(target);
    assert.deepEqual(mergePatch(target, patch), result);
    assert.deepEqual(target, before);
  }
  const evil = mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}')) as object;
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  assert.deepEqual(Object.keys(evil), ["__proto__"]);
});
