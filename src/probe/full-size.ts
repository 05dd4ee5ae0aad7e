/** Whether packets as large as pods will send pass with DF, one byte more too, and where not, how large ones do. */

import type { Family } from "../lib/index.ts";
import type { ProofResult } from "../model/index.ts";
import type { Answer, ProbeAsker } from "./asker.ts";

/** RFC 1122 section 3.3.3 and RFC 8200 section 5: what every path must carry. */
const SMALLEST_BYTES: Readonly<Record<Family, number>> = { 4: 576, 6: 1280 };
const HEADER_BYTES: Readonly<Record<Family, number>> = { 4: 28, 6: 48 };
/** A single loss proves nothing, nor does an answer that comes late from a process that waits for its CPU. */
const PATIENT_MS = [250, 1_000, 3_000] as const;
/** Only tells how much passes where it is known already that not all does. */
const QUICK_MS = [250, 250] as const;

type Asker = Pick<ProbeAsker, "ask">;

/** `bytes` of the IP packet, inside any encapsulation. */
export async function measureFullSize(
  asker: Asker,
  { bytes, family }: { readonly bytes: number; readonly family: Family },
): Promise<NonNullable<ProofResult["full"]>> {
  const ask = (size: number, triesMs: readonly number[] = QUICK_MS) =>
    askAgain(asker, size - HEADER_BYTES[family], triesMs);
  const arrived = (await ask(bytes, PATIENT_MS)).kind === "answered";
  const more = await ask(bytes + 1);
  const oneMore =
    more.kind === "answered"
      ? "arrived"
      : more.kind === "refused" && more.tooLarge
        ? "refused"
        : "lost";
  if (arrived) return { bytes, arrived, oneMore };
  let fits = SMALLEST_BYTES[family];
  if ((await ask(fits)).kind !== "answered") return { bytes, arrived, oneMore };
  for (let tooLarge = bytes; tooLarge - fits > 1; ) {
    const size = Math.floor((fits + tooLarge) / 2);
    if ((await ask(size)).kind === "answered") fits = size;
    else tooLarge = size;
  }
  return { bytes, arrived, oneMore, largest: fits };
}

/** A refusal may be the late word about the packet before, so it is no end either. */
async function askAgain(asker: Asker, bytes: number, triesMs: readonly number[]): Promise<Answer> {
  let answer: Answer = { kind: "lost" };
  for (const withinMs of triesMs) {
    answer = await asker.ask({ bytes, withinMs });
    if (answer.kind === "answered") break;
  }
  return answer;
}
