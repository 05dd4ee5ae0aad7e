/** docs/guides/change-mode.md does what it says: its commands are typed in order, and print what it shows. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { consoleCommands, normalise, run } from "../console-blocks.ts";

const root = resolve(import.meta.dirname, "../../..");

/** What differs from run to run of a change, and nothing else. Applied in this order. */
const varying: readonly { readonly what: string; readonly pattern: RegExp; readonly by: string }[] =
  [
    { what: "times", pattern: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, by: "TIME" },
    { what: "IDs of changes", pattern: /default-ipv4-ippool-\d{8}-\d{6}(-\d+)?/g, by: "ID" },
    {
      what: "durations",
      pattern: /\b\d+ (h|min)( \d+ (min|s))?\b|\b\d+(\.\d)? s\b/g,
      by: "DURATION",
    },
    { what: "round trips", pattern: /\b\d+\.\d\d ms\b/g, by: "RTT" },
    { what: "gaps", pattern: /longest gap \d+ ms/g, by: "longest gap GAP" },
    { what: "numbers of live probes", pattern: /\b\d+ sent, 0 lost/g, by: "SENT, 0 lost" },
    { what: "the same", pattern: /\b0 of \d+ live probes lost/g, by: "none lost" },
    { what: "bars", pattern: /by node +\S+$/gm, by: "by node BARS" },
    { what: "counters, which other packets raise too", pattern: /^ *counters: .*\n/gm, by: "" },
    { what: "who asked", pattern: /(asked for by|\d s) +\S+@\S+/g, by: "$1 WHO" },
    { what: "who asked, in a table", pattern: /\S+@\S+/g, by: "WHO" },
    { what: "who drives", pattern: /driven by \S+|\bnode\d(?= +\| TIME)/g, by: "DRIVER" },
    { what: "revisions", pattern: /revision \d+/g, by: "revision N" },
    { what: "widths of columns", pattern: / {2,}/g, by: "  " },
    { what: "widths of tables", pattern: /-{3,}/g, by: "---" },
  ];

function comparable(text: string): string {
  const lines = varying.reduce((result, { pattern, by }) => result.replaceAll(pattern, by), text);
  return normalise(lines);
}

describe("the guide to changing a mode", () => {
  const guide = readFileSync(`${root}/docs/guides/change-mode.md`, "utf8");
  const commands = consoleCommands(guide);

  before(() => {
    run("bin/switchyard lab down", root);
  });
  after(() => {
    run("bin/switchyard lab down", root);
  });

  test("shows the whole way", () => {
    const typed = commands.map(({ command }) => command).join("\n");
    for (const word of [
      "status",
      "plan",
      "prove",
      "change",
      "confirm",
      "rollback",
      "history",
      "show",
    ]) {
      assert.match(typed, RegExp(`bin/switchyard mode ${word}\\b`));
    }
  });

  for (const { command, expected, line } of commands) {
    test(`line ${line}: ${command}`, () => {
      assert.equal(comparable(run(command, root)), comparable(expected));
    });
  }
});
