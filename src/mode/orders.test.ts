import assert from "node:assert/strict";
import { test } from "node:test";
import type { IPPool, ModeChange } from "../model/index.ts";
import { orderedPools, widenedPools } from "./orders.ts";

const pool: IPPool = {
  apiVersion: "projectcalico.org/v3",
  kind: "IPPool",
  metadata: { name: "pods" },
  spec: { cidr: "10.244.0.0/16", ipipMode: "Always" },
};
const change = (
  moved: "all" | string[],
  { widen = true, spec = {} }: { widen?: boolean; spec?: Partial<ModeChange["spec"]> } = {},
): ModeChange => ({
  apiVersion: "switchyard.io/v1",
  kind: "ModeChange",
  metadata: { name: "c1" },
  spec: { pool: "pods", to: "vxlan", ...spec },
  status: {
    phase: "Rolling",
    phaseSince: "2026-01-01T00:00:00Z",
    from: "ipip",
    history: [],
    orders: { step: 3, widen, prove: "no", guard: true, moved, key: "00" },
  },
});
const modesOf = (pools: readonly IPPool[]) =>
  pools.map(({ spec }) => `${spec.ipipMode ?? "Never"}/${spec.vxlanMode ?? "Never"}`);

const cases: { name: string; changes: ModeChange[]; ordered: string; widened: string[] }[] = [
  { name: "no change", changes: [], ordered: "Always/Never", widened: [] },
  {
    name: "a change that has not moved this node",
    changes: [change(["b"])],
    ordered: "Always/Never",
    widened: ["Never/Always"],
  },
  {
    name: "a change that has moved this node",
    changes: [change(["b", "a"])],
    ordered: "Never/Always",
    widened: ["Never/Always"],
  },
  {
    name: "a change that has moved all",
    changes: [change("all")],
    ordered: "Never/Always",
    widened: ["Never/Always"],
  },
  {
    name: "a change of another pool",
    changes: [change("all", { spec: { pool: "other" } })],
    ordered: "Always/Never",
    widened: [],
  },
  {
    name: "a change that has ended",
    changes: [{ ...change("all"), status: { ...change("all").status!, orders: undefined } }],
    ordered: "Always/Never",
    widened: [],
  },
];
for (const { name, changes, ordered, widened } of cases) {
  test(`the pool under ${name}`, () => {
    assert.deepEqual(modesOf(orderedPools([pool], changes, "a")), [ordered]);
    assert.deepEqual(modesOf(widenedPools([pool], changes)), widened);
  });
}
