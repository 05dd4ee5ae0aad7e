/** Whether packets as large as pods will send pass with DF, one byte more too, and where not, how large ones do. */

import type { Family } from "../lib/index.ts";
import type { ProofResult } from "../model/index.ts";
import type { Answer, ProbeAsker } from "./asker.ts";

/** RFC 1122 section 3.3.3 and RFC 8200 section 5: what every path must carry. */
const SMALLEST_BYTES: Readonly<Record<Family, number>> = { 4: 576, 6: 1280 };
const HEADER_BYTES: Readonly<Record<Family, number>> = { 4: 28, 6: 48 };
const TRIES = 2;
const WITHIN_MS = 250;

/** `bytes` of the IP packet, inside any encapsulation. */
export async function measureFullSize(
  asker: ProbeAsker,
  { bytes, family }: { readonly bytes: number; readonly family: Family },
): Promise<NonNullable<ProofResult["full"]>> {
  const ask = (size: number) => askTwice(asker, size - HEADER_BYTES[family]);
  const arrived = (await ask(bytes)).kind === "answered";
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

/** A single loss proves nothing, and a refusal may be the late word about the packet before. */
async function askTwice(asker: ProbeAsker, bytes: number): Promise<Answer> {
  let answer: Answer = { kind: "lost" };
  for (let attempt = 0; attempt < TRIES && answer.kind !== "answered"; attempt++) {
    answer = await asker.ask({ bytes, withinMs: WITHIN_MS });
  }
  return answer;
}
