import assert from "node:assert/strict";
import { test } from "node:test";
import { readOptions } from "./options.ts";

test("options of benchmarks: sizes, pairs, and what is refused", () => {
  assert.deepEqual(readOptions({}, []), { pairs: false });
  const takes = ["nodes", "pairs"] as const;
  assert.deepEqual(readOptions({ nodes: "4,16", pairs: true }, takes), {
    ...{ nodes: [4, 16], pairs: true },
  });
  for (const nodes of ["", "1", "65", "4,", "four", "4, 16", "-4"]) {
    assert.throws(() => readOptions({ nodes }, takes), /--nodes/);
  }
  const lists = { only: "table", subjects: "bird,frr", scale: "0.1" };
  assert.deepEqual(readOptions(lists, ["only", "subjects", "scale"]), {
    ...{ pairs: false, only: ["table"], subjects: ["bird", "frr"], scale: 0.1 },
  });
  for (const scale of ["", "0", "1.1", "-1", "half"]) {
    assert.throws(() => readOptions({ scale }, ["scale"]), /--scale/);
  }
  const counts = { rounds: "3", patience: "600", steps: "churn" };
  assert.deepEqual(readOptions(counts, ["rounds", "patience", "steps"]), {
    ...{ pairs: false, rounds: 3, patience: 600, steps: ["churn"] },
  });
  for (const rounds of ["", "0", "1.5", "100", "-1"]) {
    assert.throws(() => readOptions({ rounds }, ["rounds"]), /--rounds/);
  }
  assert.throws(() => readOptions({ only: "table" }, takes), /takes no --only/);
  assert.throws(() => readOptions({ nodes: "4" }, []), /takes no --nodes/);
  assert.throws(() => readOptions({ pairs: true }, ["nodes"]), /takes no --pairs/);
});
