/** Errors carry code, cause and hint; the reference documents every code there is, and no other. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type ErrorCode, errorCatalogue, errorText, hasCode, SwitchyardError } from "./index.ts";

const reference = readFileSync(new URL("../../docs/reference/errors.md", import.meta.url), "utf8");
const sections = reference.split(/^## /m).slice(1);

test("docs/reference/errors.md lists the codes of the catalogue, in its order", () => {
  const documented = sections.map((section) => section.split("\n", 1)[0]);
  assert.deepEqual(documented, Object.keys(errorCatalogue));
});

for (const section of sections) {
  const code = section.split("\n", 1)[0] as ErrorCode;
  test(`${code} is explained, with the hint the program gives`, () => {
    const [explanation, hint] = section.slice(code.length).split("**What to do:** ");
    assert.ok(explanation!.trim().length > 20, "an explanation");
    assert.equal(hint?.trim(), errorCatalogue[code]?.hint);
  });
}

test("a code is upper case, a hint one sentence or two", () => {
  for (const [code, { hint }] of Object.entries(errorCatalogue)) {
    assert.match(code, /^[A-Z]+(_[A-Z]+)*$/);
    assert.match(hint, /^[A-Z].*\.$/, code);
  }
});

test("an error keeps its cause and details, and is told by its code", () => {
  const cause = new Error("ENOENT");
  const error = new SwitchyardError("COMMAND_FAILED", "nft -f -: no such table", {
    cause,
    details: { exitCode: 1 },
  });
  assert.equal(error.cause, cause);
  assert.deepEqual(error.details, { exitCode: 1 });
  assert.equal(error.hint, errorCatalogue.COMMAND_FAILED.hint);
  assert.equal(String(error), "SwitchyardError: nft -f -: no such table");
  assert.ok(hasCode(error, "COMMAND_FAILED"));
  assert.ok(!hasCode(error, "LAB_FAILED"));
  assert.ok(!hasCode(cause, "COMMAND_FAILED"));
  const plain = new SwitchyardError("LAB_FAILED", "down");
  assert.ok(!("cause" in plain), "no cause is not an undefined cause");
  assert.deepEqual(plain.details, {});
});

test("the text of anything that was thrown", () => {
  const rows: [thrown: unknown, text: string][] = [
    [new Error("broken"), "broken"],
    ["words", "words"],
    [undefined, "undefined"],
    [42, "42"],
  ];
  for (const [thrown, text] of rows) assert.equal(errorText(thrown), text);
});
