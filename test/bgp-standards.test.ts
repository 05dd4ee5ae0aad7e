/** The page of BGP standards points at tests and scenarios that are there. */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";

const root = resolve(import.meta.dirname, "..");
const page = readFileSync(resolve(root, "docs/reference/bgp-standards.md"), "utf8");

/** What stands in code quotes in the last of four columns, the one of tests. */
function tested(line: string): string[] {
  const cells = line.split("|").slice(1, -1);
  return [...(cells[3] ?? "").matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
}

function exists(name: string): boolean {
  const places = ["", "src/bgp/", "test/interop/scenarios/"];
  return places.some((place) => existsSync(resolve(root, place + name)));
}

test("every test and scenario that the page of BGP standards names exists", () => {
  const names = page.split("\n").flatMap(tested);
  assert.ok(names.length > 40, `${names.length} names`);
  assert.deepEqual(
    names.filter((name) => !exists(name)),
    [],
  );
});

test("every RFC has a test", () => {
  const rows = page.split("\n").filter((line) => /^\| \d{4}/.test(line));
  assert.ok(rows.length > 20, `${rows.length} rows`);
  assert.deepEqual(
    rows.filter((row) => tested(row).length === 0),
    [],
  );
});
