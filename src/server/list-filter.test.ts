import assert from "node:assert/strict";
import { test } from "node:test";
import type { Kind, ResourceOf } from "../model/index.ts";
import { listFilter } from "./list-filter.ts";

const services = [
  { name: "web", namespace: "shop", labels: { app: "web", "example.com/tier": "front" } },
  { name: "api", namespace: "shop", labels: { app: "api" } },
  { name: "dns", namespace: "kube-system" },
].map((metadata) => ({ kind: "Service", metadata }) as unknown as ResourceOf<Kind>);

const found = (query: Record<string, unknown>) => {
  const filter = listFilter(query);
  return services.filter(filter).map(({ metadata }) => metadata.name);
};

const rows: [labelSelector: string, expected: string[]][] = [
  ["", ["web", "api", "dns"]],
  ["app", ["web", "api"]],
  ["!app", ["dns"]],
  ["app=web", ["web"]],
  ["app==web", ["web"]],
  ["app = web", ["web"]],
  ["app!=web", ["api", "dns"]],
  ["app in (web,api)", ["web", "api"]],
  ["app in (web, api),example.com/tier", ["web"]],
  ["app notin (web)", ["api", "dns"]],
  ["example.com/tier=front,app=web", ["web"]],
  ["app=", []],
  ["constructor", []],
];
for (const [labelSelector, expected] of rows) {
  test(`labelSelector ${labelSelector || "(none)"}`, () => {
    assert.deepEqual(found({ labelSelector }), expected);
  });
}

test("fields are the name and the namespace", () => {
  assert.deepEqual(found({ fieldSelector: "metadata.name=web" }), ["web"]);
  assert.deepEqual(found({ fieldSelector: "metadata.namespace!=shop" }), ["dns"]);
  const both = { fieldSelector: "metadata.namespace=shop", labelSelector: "app=api" };
  assert.deepEqual(found(both), ["api"]);
});

test("what is not understood is refused, not passed over", () => {
  const bad = ["app=(", "app in web", "a b", "app in (a", "=web", ",", "app~web", "app>1"];
  for (const labelSelector of bad) {
    assert.throws(() => listFilter({ labelSelector }), /unable to parse/, labelSelector);
  }
  assert.throws(() => listFilter({ labelSelector: ["a", "b"] }), /given once/);
  assert.throws(() => listFilter({ fieldSelector: "spec.type=ClusterIP" }), /not supported/);
});
