import assert from "node:assert/strict";
import { test } from "node:test";
import { roundTrip } from "./round-trip.ts";

test("every ordered pair comes once, each begins where the one before ended", () => {
  for (const things of [["a", "b"], ["a", "b", "c"], [..."abcde"], [..."abcdefgh"]]) {
    const way = roundTrip(things, "a");
    assert.equal(way.length, things.length * (things.length - 1));
    assert.equal(new Set(way.map(([from, to]) => `${from}${to}`)).size, way.length);
    assert.ok(way.every(([from, to]) => from !== to));
    for (const [index, [from]] of way.entries()) assert.equal(from, way.at(index - 1)?.[1]);
    assert.equal(way[0]?.[0], "a");
  }
});
