import assert from "node:assert/strict";
import { test } from "node:test";
import { benchRow } from "./row.ts";

const figure = { bench: "b", case: "c", metric: "m", unit: "us", peer: "p" };

const rows: [
  string,
  Parameters<typeof benchRow>,
  { ratio: number; budget: string; pass: boolean },
][] = [
  ["only told", [{ ...figure, value: 3, peerValue: 2 }], { ratio: 1.5, budget: "", pass: true }],
  [
    "nothing lost",
    [{ ...figure, value: 0, peerValue: 9 }, { mostValue: 0 }],
    { ratio: 0, budget: "= 0", pass: true },
  ],
  [
    "one lost",
    [{ ...figure, value: 1, peerValue: 9 }, { mostValue: 0 }],
    { ratio: 0.111, budget: "= 0", pass: false },
  ],
  [
    "too slow",
    [{ ...figure, value: 4, peerValue: 2 }, { mostRatio: 1.5 }],
    { ratio: 2, budget: "ratio <= 1.5", pass: false },
  ],
];
for (const [name, args, expected] of rows) {
  test(`a figure ${name}`, () => {
    const { ratio, budget, pass } = benchRow(...args);
    assert.deepEqual({ ratio, budget, pass }, expected);
  });
}
