/**
 * Many small packets, paced: how many are answered, and how fast. The partner answers by a process, which may have to
 * wait for its CPU for long: only so many questions wait at a time, so that none fills a queue, and each has seconds.
 */

import { type Clock, sleep } from "../lib/index.ts";
import type { ProofResult } from "../model/index.ts";
import type { Answer, ProbeAsker } from "./asker.ts";

const TICK_MS = 10;
/** A process that was late does not make up for it in a burst that would itself be lost. */
const LARGEST_BURST = 8;
/** On a path of 100 ms this is still the full rate. */
const MOST_WAITING = 32;
const WITHIN_MS = 5_000;
/** Of a thousand: it is known by then what the path is like. */
const ENOUGH_LOST = 100;

export interface LossOptions {
  readonly packets: number;
  readonly perSecond: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export async function measureLoss(
  asker: Pick<ProbeAsker, "ask">,
  { packets, perSecond, clock, signal }: LossOptions,
): Promise<NonNullable<ProofResult["loss"]>> {
  const answers: Answer[] = [];
  const waiting = new Set<Promise<void>>();
  let asked = 0;
  let received = 0;
  const ask = () => {
    asked++;
    const settled = asker.ask({ withinMs: WITHIN_MS }).then((answer) => {
      waiting.delete(settled);
      answers.push(answer);
      if (answer.kind === "answered") received++;
    });
    waiting.add(settled);
  };
  const isLossy = () => answers.length - received >= ENOUGH_LOST;
  let lastMs = clock.monotonicMs();
  let due = 1;
  while (asked < packets && !isLossy() && !signal.aborted) {
    for (; due >= 1 && asked < packets && waiting.size < MOST_WAITING; due--) ask();
    await sleep(clock, TICK_MS);
    const nowMs = clock.monotonicMs();
    due = Math.min(LARGEST_BURST, due + ((nowMs - lastMs) * perSecond) / 1000);
    lastMs = nowMs;
  }
  await Promise.race([Promise.all(waiting), aborted(signal)]);
  const rtts = answers
    .flatMap((answer) => (answer.kind === "answered" ? [answer.rttUs] : []))
    .sort((a, b) => a - b);
  const at = (share: number) => rtts[Math.floor(share * (rtts.length - 1))] ?? 0;
  return {
    // After an early end nobody knows what becomes of the others.
    sent: answers.length,
    received: rtts.length,
    rttP50Us: at(0.5),
    rttP99Us: at(0.99),
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
