/** Many small packets, paced: how many are answered, and how fast. */

import { type Clock, sleep } from "../lib/index.ts";
import type { ProofResult } from "../model/index.ts";
import type { Answer, ProbeAsker } from "./asker.ts";

const TICK_MS = 10;
/** A process that was late does not make up for it in a burst that would itself be lost. */
const LARGEST_BURST = 8;
const WITHIN_MS = 1_000;

export interface LossOptions {
  readonly packets: number;
  readonly perSecond: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export async function measureLoss(
  asker: ProbeAsker,
  { packets, perSecond, clock, signal }: LossOptions,
): Promise<NonNullable<ProofResult["loss"]>> {
  const answers: Promise<Answer>[] = [];
  let lastMs = clock.monotonicMs();
  let due = 1;
  while (answers.length < packets && !signal.aborted) {
    for (; due >= 1 && answers.length < packets; due--) {
      answers.push(asker.ask({ withinMs: WITHIN_MS }));
    }
    await sleep(clock, TICK_MS);
    const nowMs = clock.monotonicMs();
    due = Math.min(LARGEST_BURST, due + ((nowMs - lastMs) * perSecond) / 1000);
    lastMs = nowMs;
  }
  const rtts = (await Promise.all(answers))
    .flatMap((answer) => (answer.kind === "answered" ? [answer.rttUs] : []))
    .sort((a, b) => a - b);
  const at = (share: number) => rtts[Math.floor(share * (rtts.length - 1))] ?? 0;
  return {
    sent: answers.length,
    received: rtts.length,
    rttP50Us: at(0.5),
    rttP99Us: at(0.99),
  };
}
