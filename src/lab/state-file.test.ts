import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { RecordHolder } from "./record-holder.ts";
import { type LabRecord, readRecord, writeRecord } from "./state-file.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lab-state-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const record: LabRecord = {
  version: 1,
  nodes: 4,
  podsPerNode: 2,
  mode: "ipip",
  processes: { server: { pid: 7, startTime: 99 } },
  pods: {},
};

test("what is written is read back; nothing else is left in the directory", () => {
  const file = join(directory, "deep", "lab.json");
  assert.equal(readRecord(file), undefined);
  writeRecord(file, record);
  writeRecord(file, record);
  assert.deepEqual(readRecord(file), record);
  assert.deepEqual(readdirSync(join(directory, "deep")), ["lab.json"]);
});

for (const [name, text] of [
  ["no JSON", "{"],
  ["an unknown field", JSON.stringify({ ...record, extra: 1 })],
  [
    "a pid that is none",
    JSON.stringify({ ...record, processes: { x: { pid: -1, startTime: 0 } } }),
  ],
  ["another version", JSON.stringify({ ...record, version: 2 })],
] as const) {
  test(`refused: ${name}`, () => {
    const file = join(directory, "lab.json");
    writeFileSync(file, text);
    assert.throws(() => readRecord(file), { code: "LAB_FAILED", message: /is no lab state/ });
  });
}

test("the holder writes each change before it is seen", () => {
  const file = join(directory, "lab.json");
  const holder = RecordHolder.open(file, () => record);
  holder.setProcess("router", { pid: 8, startTime: 100 });
  assert.deepEqual(readRecord(file), holder.record);
  assert.deepEqual(RecordHolder.reopen(file).record.processes.router, { pid: 8, startTime: 100 });
  assert.throws(() => RecordHolder.reopen(join(directory, "none")), { code: "LAB_FAILED" });
});
