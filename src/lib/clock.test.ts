/** The clock that stands still, and waiting on any clock. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deadline, FakeClock, sleep, systemClock } from "./index.ts";

test("timers fire in the order they are due, and among equals as they were set", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: -5, max: 50 })), async (delays) => {
      const clock = new FakeClock(0);
      const fired: { index: number; atMs: number }[] = [];
      for (const [index, delay] of delays.entries()) {
        clock.schedule(delay, () => fired.push({ index, atMs: clock.now() }));
      }
      await clock.advance(50);
      const expected = delays
        .map((delay, index) => ({ index, atMs: Math.max(0, delay) }))
        .sort((a, b) => a.atMs - b.atMs || a.index - b.index);
      assert.deepEqual(fired, expected);
      assert.equal(clock.pendingTimers, 0);
      assert.equal(clock.now(), 50);
    }),
  );
});

test("a timer fires once, at its time and not before; a cancelled one never", async () => {
  const clock = new FakeClock();
  let fired = 0;
  clock.schedule(100, () => fired++);
  const cancelled = clock.schedule(50, () => assert.fail("cancelled"));
  assert.equal(clock.pendingTimers, 2);
  cancelled.cancel();
  await clock.advance(99);
  assert.equal(fired, 0);
  await clock.advance(1);
  await clock.advance(1000);
  assert.equal(fired, 1);
});

test("a timer set by a timer fires within the same advance when it is due", async () => {
  const clock = new FakeClock(0);
  const ticks: number[] = [];
  const tick = () => {
    ticks.push(clock.monotonicMs());
    clock.schedule(10, tick);
  };
  clock.schedule(10, tick);
  await clock.advance(35);
  assert.deepEqual(ticks, [10, 20, 30]);
  assert.equal(clock.pendingTimers, 1);
});

test("sleep ends by time, or by its signal, and leaves no timer", async () => {
  const clock = new FakeClock();
  let woke = false;
  const sleeping = sleep(clock, 10).then(() => {
    woke = true;
  });
  await clock.advance(9);
  assert.equal(woke, false);
  await clock.advance(1);
  await sleeping;
  assert.equal(woke, true);

  const controller = new AbortController();
  const reason = new Error("enough");
  const aborted = assert.rejects(sleep(clock, 10, controller.signal), reason);
  controller.abort(reason);
  await aborted;
  assert.equal(clock.pendingTimers, 0);
  await assert.rejects(sleep(clock, 10, controller.signal), reason);
  assert.equal(clock.pendingTimers, 0);
});

test("a deadline aborts when its time has come, and says what it waited", async () => {
  const clock = new FakeClock();
  const signal = deadline(clock, 250);
  await clock.advance(249);
  assert.equal(signal.aborted, false);
  await clock.advance(1);
  assert.equal(signal.aborted, true);
  assert.match(String(signal.reason), /no answer within 250 ms/);
});

test("the system's clock moves, fires and cancels", async () => {
  const before = systemClock.monotonicMs();
  const cancelled = systemClock.schedule(1, () => assert.fail("cancelled"), { unref: true });
  cancelled.cancel();
  await sleep(systemClock, 5);
  assert.ok(systemClock.monotonicMs() - before >= 4);
  assert.ok(Math.abs(systemClock.now() - Date.now()) < 1000);
});

test("the system's clock fires what is due at once without a timer's millisecond, and can be cancelled", async () => {
  const order: string[] = [];
  systemClock.schedule(0, () => assert.fail("cancelled")).cancel();
  const startedMs = systemClock.monotonicMs();
  for (let i = 0; i < 2000; i++) await sleep(systemClock, 0);
  assert.ok(systemClock.monotonicMs() - startedMs < 2000);
  systemClock.schedule(1, () => order.push("timer"));
  systemClock.schedule(0, () => order.push("at once"));
  await sleep(systemClock, 20);
  assert.deepEqual(order, ["at once", "timer"]);
});
