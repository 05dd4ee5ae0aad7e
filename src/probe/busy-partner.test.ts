/** What is measured of a partner that answers late, by a process that waits for its CPU, and of a path that loses. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../lib/index.ts";
import type { Answer } from "./asker.ts";
import { measureFullSize } from "./full-size.ts";
import { measureLoss } from "./loss.ts";

/** Answers after what `delayMs` says of a question; undefined: it is lost. */
class Partner {
  readonly clock = new FakeClock();
  readonly #delayMs: (question: number, bytes: number) => number | undefined;
  asked = 0;
  waiting = 0;
  mostWaiting = 0;

  constructor(delayMs: (question: number, bytes: number) => number | undefined) {
    this.#delayMs = delayMs;
  }

  ask({ bytes = 0, withinMs }: { bytes?: number; withinMs: number }): Promise<Answer> {
    const delayMs = this.#delayMs(this.asked++, bytes);
    this.mostWaiting = Math.max(this.mostWaiting, ++this.waiting);
    return new Promise((resolve) => {
      const inTime = delayMs !== undefined && delayMs < withinMs;
      const answer: Answer = inTime
        ? { kind: "answered", rttUs: delayMs * 1000 }
        : { kind: "lost" };
      this.clock.schedule(inTime ? delayMs : withinMs, () => {
        this.waiting--;
        resolve(answer);
      });
    });
  }

  /** Runs the clock until it is done; how long that took. */
  async done<T>(work: Promise<T>): Promise<{ result: T; tookMs: number }> {
    const startedMs = this.clock.monotonicMs();
    let result: { readonly value: T } | undefined;
    void work.then((value) => {
      result = { value };
    });
    while (!result) {
      await this.clock.advance(10);
      assert.ok(this.clock.monotonicMs() - startedMs < 600_000, "it ends");
    }
    return { result: result.value, tookMs: this.clock.monotonicMs() - startedMs };
  }
}

function loss(partner: Partner, signal = new AbortController().signal) {
  const { clock } = partner;
  return partner.done(measureLoss(partner, { packets: 1000, perSecond: 250, clock, signal }));
}

test("answers that come after seconds are no loss, and questions do not heap up at who is slow", async () => {
  // It stands still for 3 s in every 4.
  const partner = new Partner(() => 1 + Math.max(0, 3_000 - (partner.clock.monotonicMs() % 4_000)));
  const { result } = await loss(partner);
  assert.deepEqual([result.sent, result.received], [1000, 1000]);
  assert.ok(partner.mostWaiting <= 32, `${partner.mostWaiting} waited`);
});

test("a path of 100 ms is asked at the full rate", async () => {
  const { result, tookMs } = await loss(new Partner(() => 100));
  assert.deepEqual([result.sent, result.received], [1000, 1000]);
  assert.ok(tookMs < 4_500, `${tookMs} ms`);
});

test("what a path loses is counted, and one that loses much is not asked to the end", async () => {
  const { result: few } = await loss(new Partner((n) => (n % 50 === 0 ? undefined : 1)));
  assert.deepEqual([few.sent, few.received], [1000, 980]);
  const { result: many, tookMs } = await loss(new Partner((n) => (n % 2 === 0 ? undefined : 1)));
  assert.ok(many.sent - many.received >= 100 && many.sent < 300, `${many.sent} sent`);
  assert.ok(tookMs < 30_000, `${tookMs} ms`);
});

test("an early end waits for nobody, and tells only what is known", async () => {
  const partner = new Partner((n) => (n < 10 ? 1 : undefined));
  const controller = new AbortController();
  partner.clock.schedule(200, () => controller.abort());
  const { result, tookMs } = await loss(partner, controller.signal);
  assert.deepEqual([result.sent, result.received], [10, 10]);
  assert.ok(tookMs < 300, `${tookMs} ms`);
});

test("a full-size packet whose answer comes late has arrived", async () => {
  const size = (partner: Partner) =>
    partner.done(measureFullSize(partner, { bytes: 1500, family: 4 }));
  const late = await size(new Partner((_, bytes) => (bytes <= 1472 ? 2_000 : undefined)));
  assert.deepEqual(late.result, { bytes: 1500, arrived: true, oneMore: "lost" });
  const small = await size(new Partner((_, bytes) => (bytes <= 1402 ? 1 : undefined)));
  assert.deepEqual(small.result, { bytes: 1500, arrived: false, oneMore: "lost", largest: 1430 });
  assert.ok(small.tookMs < 10_000, `${small.tookMs} ms`);
});
