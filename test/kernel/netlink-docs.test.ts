/** docs/reference/netlink.md: each example runs as written, and prints what stands under it. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { freshNamespace } from "./netlink-fixture.ts";

const page = new URL("../../docs/reference/netlink.md", import.meta.url);
const source = new URL("../../src/", import.meta.url).href;
const text = readFileSync(page, "utf8");
const examples = [...text.matchAll(/```ts\n(.*?)```\n\n```text\n(.*?)```/gs)];

test("every example of the page has its output under it", () => {
  assert.ok(examples.length >= 9);
  assert.equal(text.split("```ts\n").length - 1, examples.length);
});

for (const [, program, output] of examples) {
  const title =
    text
      .slice(0, text.indexOf(program!))
      .match(/## .*(?=\n)/g)
      ?.at(-1) ?? "";
  test(`the example under "${title.slice(3)}"`, (t) => {
    const namespace = freshNamespace(t);
    const directory = mkdtempSync(join(tmpdir(), "netlink-docs-"));
    t.after(() => rmSync(directory, { recursive: true }));
    const file = join(directory, "example.ts");
    const here = program!
      .replaceAll("../../src/", source)
      .replaceAll("/run/netns/example", namespace);
    writeFileSync(file, here);
    const ran = spawnSync(process.execPath, [file], { encoding: "utf8", timeout: 20_000 });
    assert.equal(ran.stderr, "");
    assert.equal(ran.stdout, output);
  });
}
