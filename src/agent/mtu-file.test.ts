import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { MtuFile } from "./mtu-file.ts";

const directory = mkdtempSync(join(tmpdir(), "switchyard-mtu-"));
after(() => rmSync(directory, { recursive: true }));

test("is written whole, in a directory made for it, and only when it says something else", () => {
  const path = join(directory, "deep/calico/mtu");
  const file = new MtuFile(path);
  assert.equal(file.held, undefined);
  assert.equal(file.write(1480), undefined);
  assert.equal(readFileSync(path, "utf8"), "1480");
  assert.deepEqual(readdirSync(join(directory, "deep/calico")), ["mtu"]);
  const { ino } = statSync(path);
  file.write(1480);
  assert.equal(statSync(path).ino, ino);
  file.write(1450);
  assert.equal(readFileSync(path, "utf8"), "1450");
  assert.equal(new MtuFile(path).held, 1450);
});

test("of a predecessor is taken over; anything else in it is not", () => {
  const path = join(directory, "mtu");
  for (const [text, held] of [
    ["1450\n", 1450],
    ["", undefined],
    ["0", undefined],
    ["-1450", undefined],
    ["1450 1500", undefined],
    ["9e9", undefined],
  ] as const) {
    writeFileSync(path, text);
    assert.equal(new MtuFile(path).held, held, JSON.stringify(text));
  }
});

test("a refusal is told in words, and tried again", () => {
  writeFileSync(join(directory, "plain"), "");
  const path = join(directory, "plain/mtu");
  const file = new MtuFile(path);
  assert.match(file.write(1450) ?? "", /plain\/mtu: write MTU 1450: .*(EEXIST|ENOTDIR)/);
  rmSync(join(directory, "plain"));
  assert.equal(file.write(1450), undefined);
});
