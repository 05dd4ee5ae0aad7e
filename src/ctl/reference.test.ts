/** docs/reference/commands.md lists exactly the commands and flags of the program. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { Command, Option } from "commander";
import { FakeClock } from "../lib/index.ts";
import { globalFlags } from "./command-table.ts";
import { buildProgram } from "./program.ts";

const path = new URL("../../docs/reference/commands.md", import.meta.url);
const page = readFileSync(path, "utf8");
const heading = /^## `(switchyard [^`]*)`$/gm;

const program = await buildProgram("lab", {
  stdout: () => {},
  stderr: () => {},
  env: {},
  clock: new FakeClock(),
});

interface Entry {
  readonly title: string;
  readonly description: string;
  readonly options: readonly Option[];
}

/** Every command that does something, and the flags of those that only hold others. */
function entries(command: Command, parents: readonly string[]): Entry[] {
  const words = [...parents, command.name()];
  const below = command.commands.flatMap((child) => entries(child, words));
  const own = command.options.filter((option) => !option.hidden && !isGlobal(option));
  if (command.commands.length > 0 && own.length === 0) return below;
  const usage = command.commands.length > 0 ? "COMMAND" : command.usage();
  const title = [...words, usage.replace("[options]", "")].join(" ").trim();
  return [{ title, description: command.description(), options: own }, ...below];
}

function isGlobal({ long }: Option): boolean {
  return globalFlags.some(({ flags }) => flags.split(" ").includes(long ?? ""));
}

function row({ flags, description, defaultValue }: Option): string {
  const byDefault = typeof defaultValue === "string" ? ` (default \`${defaultValue}\`)` : "";
  return `| \`${flags}\` | ${description}${byDefault} |`;
}

function section({ title, description, options }: Entry): string {
  const table = ["| Flag | Meaning |", "| --- | --- |", ...options.map(row)];
  const lines = [`## \`${title}\``, "", `${description}.`];
  return [...lines, ...(options.length > 0 ? ["", ...table] : []), ""].join("\n");
}

describe("docs/reference/commands.md", () => {
  const commands = entries(program, []);

  for (const entry of commands) {
    test(entry.title, () => {
      const wanted = section(entry);
      const from = page.indexOf(`## \`${entry.title}\`\n`);
      const found = from < 0 ? "" : page.slice(from, from + wanted.length);
      assert.equal(found, wanted, "the page must hold this section");
      const next = page.indexOf("\n## ", from + 1);
      const rest = page.slice(from + wanted.length, next < 0 ? undefined : next);
      assert.doesNotMatch(rest, /^\| `-/m, "a flag that the command does not have");
    });
  }

  test("has no command that the program does not have", () => {
    const titles = [...page.matchAll(heading)].map(([, title]) => title);
    assert.deepEqual(titles.sort(), commands.map(({ title }) => title).sort());
  });

  test("lists the flags of every command", () => {
    for (const { flags, description } of globalFlags) {
      assert.ok(page.includes(`| \`${flags}\` | ${description} |\n`), flags);
    }
  });
});
