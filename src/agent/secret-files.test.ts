import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SecretFiles } from "./secret-files.ts";

test("a secret is a file, and what was read once outlives it", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "switchyard-secrets-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const files = new SecretFiles(directory);
  const reference = { name: "bgp", key: "tor" };
  assert.match(files.read(reference).problem ?? "", /ENOENT/);
  mkdirSync(join(directory, "bgp"));
  const file = join(directory, "bgp/tor");
  for (const [text, value] of [
    ["secret", "secret"],
    ["new secret\n", "new secret"],
    ["two lines\n\n", "two lines\n"],
  ] as const) {
    writeFileSync(file, text);
    assert.deepEqual(files.read(reference), { value });
  }
  for (const spoil of [
    () => writeFileSync(file, ""),
    () => writeFileSync(file, "x".repeat(5000)),
    () => rmSync(file),
    () => mkdirSync(file),
  ]) {
    spoil();
    const { value, problem } = files.read(reference);
    assert.equal(value, "two lines\n");
    assert.match(problem ?? "", /; the last one that was read is kept$/);
  }
  assert.equal(new SecretFiles(directory).read(reference).value, undefined);
});

test("no name leads out of the directory", () => {
  const directory = mkdtempSync(join(tmpdir(), "switchyard-secrets-"));
  writeFileSync(join(directory, "outside"), "x");
  mkdirSync(join(directory, "in/side"), { recursive: true });
  const files = new SecretFiles(join(directory, "in"));
  for (const [name, key] of [
    ["..", "outside"],
    ["side", "../../outside"],
    [".", "outside"],
    ["", "outside"],
    ["side", ""],
    ["side/..", "outside"],
  ] as const) {
    assert.deepEqual(files.read({ name, key }), { problem: "no name of a secret and a key" });
  }
  rmSync(directory, { recursive: true });
});
