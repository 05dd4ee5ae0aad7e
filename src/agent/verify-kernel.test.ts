import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModeChange } from "../model/index.ts";
import type { Difference, NodePlan } from "../plan/index.ts";
import { verifyKernel } from "./verify-kernel.ts";

const plan = {} as NodePlan;
const ordered = (moved: "all" | string[]) =>
  ({
    metadata: { name: "c1" },
    status: { orders: { step: 4, widen: true, prove: "no", guard: true, moved, key: "00" } },
  }) as unknown as ModeChange;
const dataplane = (differences: readonly Difference[]) => {
  let compared = 0;
  return {
    compare: async () => {
      compared++;
      return { objects: 9, differences };
    },
    compared: () => compared,
  };
};
const missing = (planned: string): Difference => ({ kind: "missing", planned, reason: "" });

test("the kernel is compared only once all nodes are ordered to move", async () => {
  for (const [changes, times] of [
    [[], 0],
    [[ordered(["a"])], 0],
    [[ordered("all")], 1],
  ] as const) {
    const kernel = dataplane([missing("route 10.0.0.0/26")]);
    await verifyKernel(kernel, { plan, changes });
    assert.equal(kernel.compared(), times);
  }
});

test("what is not as planned is told in words, and what is too much is counted", async () => {
  const kernel = dataplane([
    { kind: "unplanned", held: "address 10.0.0.9/32 dev lo", reason: "" },
    { kind: "differs", planned: "mtu 1480", held: "mtu 1500", reason: "" },
    ...Array.from({ length: 5 }, (_, index) => missing(`route 10.0.${index}.0/26`)),
  ]);
  assert.deepEqual(await verifyKernel(kernel, { plan, changes: [ordered("all")] }), [
    "the kernel holds address 10.0.0.9/32 dev lo, which is not planned",
    "the kernel holds mtu 1500 instead of mtu 1480",
    "route 10.0.0.0/26 is not in the kernel",
    "route 10.0.1.0/26 is not in the kernel",
    "route 10.0.2.0/26 is not in the kernel",
    "and 2 more",
  ]);
});

test("a kernel that cannot be compared is told, and what was applied is not lost", async () => {
  const kernel = { compare: () => Promise.reject(new RangeError("dump interrupted")) };
  assert.deepEqual(await verifyKernel(kernel, { plan, changes: [ordered("all")] }), [
    "the kernel cannot be compared with its plan: dump interrupted",
  ]);
});
