import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModeChange } from "../resource.ts";
import { build, refusalOf } from "./rules.test-support.ts";

const spec = { pool: "pods", to: "none" };
const change = (name: string, of: object = spec) => refusalOf(build("ModeChange", of, { name }));

test("a change named like a lease, which nobody could drive, is refused", () => {
  for (const name of ["probes", "mesh", "pool.pods", "pool.pods-1"]) {
    assert.match(change(name), /Metadata\.Name.*let it begin with the name of its pool/, name);
  }
  assert.equal(change("pods-20260101-000000"), "");
  assert.equal(change("pool.a-20260101-000000", { pool: "pool.a", to: "none" }), "");
  assert.equal(change("mesh-20260101-000000", { mesh: "off" }), "");
});

test("a change that has ended with orders, which agents would obey for ever, is refused", () => {
  const ended = (orders: boolean): ModeChange => ({
    ...build("ModeChange", spec, { name: "a" }),
    status: {
      ...{ phase: "Done", phaseSince: "", from: "ipip", history: [] },
      ...(orders && {
        orders: { step: 1, widen: true, prove: "no", guard: false, moved: "all", key: "" },
      }),
    },
  });
  assert.match(
    refusalOf(ended(true)),
    /ModeChange\.Status\.orders = 'Done' \(.*obey it for ever\)/,
  );
  assert.equal(refusalOf(ended(false)), "");
});

test("evidence under another name than its change's and node's, which would hide theirs, is refused", () => {
  const evidence = (name: string) =>
    refusalOf(build("ModeEvidence", { change: "c.1", node: "a.b" }, { name }));
  assert.equal(evidence("c.1.a.b"), "");
  assert.match(
    evidence("c.1.a"),
    /Metadata\.Name = 'c\.1\.a' \(what a\.b saw of c\.1 is named c\.1\.a\.b/,
  );
});
