import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatDuration, parseDuration } from "./duration.ts";

test("durations are read and written as Go does", () => {
  const rows: [text: string, canonical: string | undefined][] = [
    ["125s", "2m5s"],
    ["2h45m10s", "2h45m10s"],
    ["90m", "1h30m0s"],
    ["1.5s", "1.5s"],
    [".5s", "500ms"],
    ["1500ms", "1.5s"],
    ["1500us", "1.5ms"],
    ["10ns", "10ns"],
    ["1h", "1h0m0s"],
    ["0", "0s"],
    ["0s", "0s"],
    ["-1m", "-1m0s"],
    ["+3s", "3s"],
    ["", undefined],
    ["5", undefined],
    ["s", undefined],
    [".s", undefined],
    ["1x", undefined],
    ["1s ", undefined],
    ["-", undefined],
    ["9999999h", undefined],
  ];
  for (const [text, canonical] of rows) {
    const parsed = parseDuration(text);
    assert.equal(parsed === undefined ? undefined : formatDuration(parsed), canonical, text);
  }
});

test("every duration is read back from its text", () => {
  const nanoseconds = fc.bigInt({ min: -(2n ** 63n - 1n), max: 2n ** 63n - 1n });
  fc.assert(fc.property(nanoseconds, (value) => parseDuration(formatDuration(value)) === value));
});
