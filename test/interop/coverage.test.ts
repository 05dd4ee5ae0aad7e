/** The reference tells which scenarios are played with which programs, and why some are not. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { compareCoverage } from "./coverage.ts";

test("docs/reference/bgp-programs.md holds the table of scenarios and programs", async () => {
  const { is, wanted } = await compareCoverage();
  assert.ok(wanted.includes("| establish: iBGP | yes | yes | yes | yes |"));
  assert.equal(is, wanted, "renew it by: node test/interop/coverage.ts");
});
