import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { diffObjects, type HeldObject, renderDifference } from "./difference.ts";
import type { PlanObject } from "./objects.ts";

const wanted = (key: string, line: string): PlanObject => ({ key, line, reason: "why" });
const held = (key: string, line: string, note?: string): HeldObject => ({
  key,
  line,
  ...(note === undefined ? {} : { note }),
});

const cases: readonly (readonly [
  string,
  readonly PlanObject[],
  readonly HeldObject[],
  readonly string[],
])[] = [
  ["the same", [wanted("a", "a 1")], [held("a", "a 1")], []],
  ["missing", [wanted("a", "a 1")], [], ["+ a 1\n    why"]],
  ["not planned", [], [held("a", "a 1")], ["- a 1\n    ours, and not planned"]],
  ["not planned, with a note", [], [held("a", "a 1", "kept")], ["- a 1\n    kept"]],
  ["altered", [wanted("a", "a 1")], [held("a", "a 2")], ["~ a 1\n    kernel: a 2\n    why"]],
  [
    "altered, with a note",
    [wanted("a", "a 1")],
    [held("a", "a 2", "foreign")],
    ["~ a 1\n    kernel: a 2\n    why; foreign"],
  ],
  [
    "the planned one behind another of its key",
    [wanted("a", "a 1")],
    [held("a", "a 2"), held("a", "a 1")],
    ["- a 2\n    ours, and not planned"],
  ],
  [
    "twice",
    [wanted("a", "a 1")],
    [held("a", "a 1"), held("a", "a 1")],
    ["- a 1\n    ours, and not planned"],
  ],
];

describe("plan against kernel", () => {
  for (const [name, planned, present, lines] of cases) {
    it(name, () => {
      assert.deepEqual(diffObjects(planned, present).map(renderDifference), lines);
    });
  }

  it("accounts for each object once, and is empty for equal lists only", () => {
    const object = fc
      .tuple(fc.constantFrom("a", "b", "c"), fc.constantFrom("1", "2"))
      .map(([key, value]) => ({ key, line: `${key} ${value}` }));
    const plans = fc.uniqueArray(object, { selector: ({ key }) => key });
    fc.assert(
      fc.property(plans, fc.array(object), (some, present) => {
        const planned = some.map((one) => ({ ...one, reason: "why" }));
        const differences = diffObjects(planned, present);
        const of = (kind: string) => differences.filter((one) => one.kind === kind).length;
        const equal = planned.length - of("missing") - of("differs");
        assert.equal(present.length, equal + of("differs") + of("unplanned"));
        const lines = (list: readonly { line: string }[]) => list.map(({ line }) => line).sort();
        const same = JSON.stringify(lines(planned)) === JSON.stringify(lines(present));
        assert.equal(differences.length === 0, same);
      }),
    );
  });
});
