/** Handing changes on takes no longer than a slice, however many peers each is of concern to. */

import assert from "node:assert/strict";
import { it } from "node:test";
import type { Clock } from "../lib/index.ts";
import { LocRib, type PrefixNumber } from "./rib/index.ts";
import { testNumber } from "./rib/testing.ts";
import { RouteFeed } from "./route-feed.ts";
import { Slices } from "./slices.ts";

it("changes that take long are handed on over many turns, each once and in their order", () => {
  let nowMs = 0;
  const turns: (() => void)[] = [];
  const clock: Clock = {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    schedule: (_, callback) => {
      turns.push(callback);
      return { cancel: () => undefined };
    },
  };
  const handedOn: PrefixNumber[] = [];
  const take = (number: PrefixNumber) => {
    handedOn.push(number);
    nowMs += 1;
  };
  const feed = new RouteFeed({
    ...{ slices: new Slices(clock), rib: new LocRib() },
    ...{ onChanged: take, onOtherChanged: take },
  });
  const numbers = Array.from({ length: 300 }, (_, i) => testNumber(i * 64 + 32));
  for (const number of numbers.slice(0, 200)) feed.changed(number);
  for (const number of numbers.slice(200)) feed.otherChanged(number);
  let longestMs = 0;
  for (let turn = turns.shift(); turn; turn = turns.shift()) {
    const startedMs = nowMs;
    turn();
    longestMs = Math.max(longestMs, nowMs - startedMs);
  }
  assert.deepEqual(handedOn, numbers);
  assert.equal(feed.idle, true);
  // The slice's 5, and up to 15 until it is looked at.
  assert.ok(longestMs <= 20, `${longestMs} ms`);
});
