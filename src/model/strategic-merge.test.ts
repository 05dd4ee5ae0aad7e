import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { mergePatch } from "./merge-patch.ts";
import { strategicMerge } from "./strategic-merge.ts";

const ports = (...list: object[]) => ({ spec: { type: "ClusterIP", ports: list } });
const http = { port: 80, protocol: "TCP", targetPort: 8080 };
const dns = { port: 53, protocol: "UDP" };

const rows: [name: string, target: object, patch: object, expected: object][] = [
  [
    "an element is merged by its key, another added, the order told",
    ports(http),
    {
      spec: {
        "$setElementOrder/ports": [{ port: 53 }, { port: 80 }],
        ports: [dns, { port: 80, targetPort: 9090 }],
      },
    },
    ports(dns, { ...http, targetPort: 9090 }),
  ],
  [
    "an element is deleted",
    ports(http, dns),
    {
      spec: {
        "$setElementOrder/ports": [{ port: 53 }],
        ports: [{ $patch: "delete", port: 80 }],
      },
    },
    ports(dns),
  ],
  [
    "a list is replaced where that is said",
    ports(http),
    { spec: { ports: [dns, { $patch: "replace" }] } },
    ports(dns),
  ],
  [
    "lists without a key are replaced",
    { spec: { externalIPs: ["192.0.2.1"] } },
    { spec: { externalIPs: ["192.0.2.2"] } },
    { spec: { externalIPs: ["192.0.2.2"] } },
  ],
  [
    "an object is replaced, or keeps what is named",
    { spec: { selector: { app: "web", tier: "a" }, sessionAffinityConfig: { a: 1, b: 2 } } },
    {
      spec: {
        selector: { $patch: "replace", app: "api" },
        sessionAffinityConfig: { $retainKeys: ["b"], b: 3 },
      },
    },
    { spec: { selector: { app: "api" }, sessionAffinityConfig: { b: 3 } } },
  ],
  [
    "an object is deleted",
    { spec: { selector: { app: "web" } } },
    { spec: { selector: { $patch: "delete" } } },
    { spec: {} },
  ],
  [
    "plain values are added and taken away",
    { metadata: { finalizers: ["a", "b"] } },
    { metadata: { finalizers: ["b", "c"], "$deleteFromPrimitiveList/finalizers": ["a"] } },
    { metadata: { finalizers: ["b", "c"] } },
  ],
];
for (const [name, target, patch, expected] of rows) {
  test(`a strategic merge patch: ${name}`, () => {
    const before = structuredClone(target);
    assert.deepEqual(strategicMerge("Service", target, patch), expected);
    assert.deepEqual(target, before, "the target is not changed");
  });
}

test("what says nothing special is a merge patch, and no directive is ever stored", () => {
  const key = fc.constantFrom("a", "b", "ports", "spec", "$patch", "$setElementOrder/a", "$x");
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<unknown>(null, 1, "x", "delete", "replace"),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  const object = fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true });
  const plain = (one: unknown) => !JSON.stringify(one).includes("$");
  fc.assert(
    fc.property(object, object, (target, patch) => {
      const stored = plain(target) ? target : {};
      const result = strategicMerge("IPPool", stored, patch);
      assert.ok(plain(result), JSON.stringify(result));
      if (!plain(patch) || JSON.stringify(patch).includes("[")) return;
      assert.deepEqual(result, mergePatch(stored, patch));
    }),
    { numRuns: 500 },
  );
});
