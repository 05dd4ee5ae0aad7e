import assert from "node:assert/strict";
import { test } from "node:test";
import { phaseTimes } from "./change-phases.ts";

const at = (second: number) => new Date(second * 1000).toISOString();
const entry = (second: number, phase: Parameters<typeof phaseTimes>[0][number]["phase"]) => ({
  ...{ at: at(second), phase, message: "" },
});

test("a phase lasts until the next, with all its entries; the end lasts no time", () => {
  const history = [
    ...[entry(0, "Planning"), entry(2, "Proving"), entry(3, "Proving")],
    ...[entry(10, "Rolling"), entry(11, "Rolling"), entry(15, "Done")],
  ];
  assert.deepEqual(phaseTimes(history), [
    { phase: "Planning", ms: 2_000 },
    { phase: "Proving", ms: 8_000 },
    { phase: "Rolling", ms: 5_000 },
  ]);
  assert.deepEqual(phaseTimes([]), []);
});
