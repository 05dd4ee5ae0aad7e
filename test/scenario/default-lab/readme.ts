/** README.md does what it says: its commands are typed in order, and print what it shows. */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { consoleCommands, normalisations, normalise, run } from "../console-blocks.ts";

const root = resolve(import.meta.dirname, "../../..");

function leftovers(): string[] {
  const namespaces = existsSync("/run/netns") ? readdirSync("/run/netns") : [];
  return [
    ...namespaces.filter((name) => name.startsWith("sy-")),
    ...(existsSync("/run/switchyard/lab") ? ["/run/switchyard/lab"] : []),
  ];
}

describe("the walk-through of README.md", () => {
  const commands = consoleCommands(readFileSync(`${root}/README.md`, "utf8"));

  before(() => {
    run("bin/switchyard lab down", root);
    assert.deepEqual(leftovers(), []);
  });
  after(() => {
    run("bin/switchyard lab down", root);
  });

  test("is there: it brings up a lab, changes its mode and takes it down", () => {
    const text = commands.map(({ command }) => command).join("\n");
    for (const part of ["lab up", "patch ippool", "lab down"]) assert.match(text, RegExp(part));
  });

  for (const { command, expected, line } of commands) {
    test(`line ${line}: ${command}`, () => {
      assert.equal(normalise(run(command, root)), normalise(expected));
    });
  }

  test("leaves nothing behind", () => assert.deepEqual(leftovers(), []));
});

describe("console blocks", () => {
  const document = (...lines: string[]) => ["text", "```console", ...lines, "```", "$ not one"];

  test("are read in order, with what belongs to each command", () => {
    const text = [...document("$ a b", "1", "", "2", "$ c"), "```sh", "$ d", "```"].join("\n");
    assert.deepEqual(consoleCommands(text), [
      { command: "a b", expected: "1\n\n2", line: 3 },
      { command: "c", expected: "", line: 7 },
    ]);
    assert.throws(() => consoleCommands(document("no command").join("\n")), /^Error: line 3: /);
  });

  test("a command prints both its streams; an exit code is not looked at", () => {
    assert.equal(run("echo out; echo err >&2; false", root), "out\nerr\n");
  });

  const rows: [name: string, printed: string, shown: string, same: boolean][] = [
    ["blanks at the end of lines", "a  \nb\n", "a\nb", true],
    ["empty lines at the end", "a\n\n", "a", true],
    ["blanks at the start", " a", "a", false],
    ["another word", "a b", "a c", false],
    ["a line more", "a\nb", "a", false],
    ["time of ping", "0% packet loss, time 12ms", "0% packet loss, time 0ms", true],
    ["loss of ping", "50% packet loss, time 0ms", "0% packet loss, time 0ms", false],
    ["pid", "runs as pid 17", "runs as pid 4711", true],
    ["another number", "ended 5 processes", "ended 6 processes", false],
  ];
  for (const [name, printed, shown, same] of rows) {
    test(`${name}: ${same ? "the same" : "different"}`, () => {
      assert.equal(normalise(printed) === normalise(shown), same);
    });
  }

  test("no normalisation is there for nothing", () => {
    for (const { what, pattern } of normalisations) {
      assert.ok(
        rows.some(([, printed]) => printed.search(pattern) >= 0),
        what,
      );
    }
  });
});
