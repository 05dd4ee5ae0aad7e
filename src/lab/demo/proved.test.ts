import assert from "node:assert/strict";
import { test } from "node:test";
import { surprisesIn } from "./proved.ts";
import type { ModeChangeFacts } from "./report.ts";
import { changeLine } from "./shown-command.ts";

const cause =
  "fully old, nothing has moved: the fabric does not carry vxlan: 172.139.20.0/24 → 172.139.30.0/24: UDP 4789 (VXLAN) is dropped this way, the other way passes: a filter for one direction";

const ended = (result: string, reason = "…"): ModeChangeFacts => ({
  ...{ from: "ipip", to: "vxlan", result, reason, durationMs: 1, phases: [] },
  ...{ sent: 1, lost: 0, reordered: 0, maxGapMs: 0, tcpResets: 0, tcpRetransmits: 0 },
});

const runs: readonly [string, ModeChangeFacts, ModeChangeFacts, readonly RegExp[]][] = [
  ["as promised", ended("refused", cause), ended("done"), []],
  ["not refused", ended("done", cause), ended("done"), [/was not refused: it is done/]],
  [
    "refused for something else",
    ended("refused", "full-size packets do not pass"),
    ended("done"),
    [/another cause than the fault: full-size/],
  ],
  [
    "refused as if both ways were dropped",
    ended("refused", "x: UDP 4789 (VXLAN) is dropped both ways"),
    ended("done"),
    [/another cause/],
  ],
  [
    "gone back",
    ended("refused", cause),
    ended("rolled-back"),
    [/was not done: it is rolled-back: …/],
  ],
];

for (const [name, refused, done, expected] of runs) {
  test(`a run of the demo: ${name}`, () => {
    const found = surprisesIn(refused, done);
    assert.equal(found.length, expected.length, found.join("; "));
    for (const [index, pattern] of expected.entries()) assert.match(found[index]!, pattern);
  });
}

test("a line of mode change is shown without its ID, and wrapped; a matrix as it is", () => {
  const id = "default-ipv4-ippool-20261123-133025";
  assert.equal(
    changeLine(`${id}: Canary: the canary moves: node1`),
    "Canary: the canary moves: node1",
  );
  assert.equal(changeLine(`${id}-2: Done: x`), "Done: x");
  assert.equal(changeLine(" 3 node3  a a - +"), " 3 node3  a a - +");
  const lines = changeLine(`${id}: ${"word ".repeat(60)}end`).split("\n");
  assert.ok(lines.length === 3 && lines.every((line) => line.length <= 118), lines.join("\n"));
  assert.ok(lines.slice(1).every((line) => line.startsWith("    word")));
});
