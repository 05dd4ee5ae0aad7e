/**
 * How long a change takes where nothing is slow: the fixed times of its phases, added up. A node proves itself to
 * four partners at a time (src/probe/rounds.ts), of which each takes as long as its packets; a wave is watched
 * until it was quiet for some seconds. What an operator waits before he confirms is not in it.
 */

import { BASELINE_MS, SETTLE_MS } from "../guard/thresholds.ts";
import type { DurationPart, ProofPreview } from "./types.ts";

const SECOND = 1_000;
/** Tunnel devices, addresses, announcements, and reading them back. */
const WIDEN_MS = 2 * SECOND;
const FIRST_ROUND_MS = 3 * SECOND;
/** Of src/probe/rounds.ts. */
const AT_A_TIME = 4;
const LOSS_PER_SECOND = 250;
const LOSS_PACKETS = 1_000;
const LOSS_PACKETS_OF_NODE = 15_000;
const LEAST_LOSS_PACKETS = 100;
/** Full size and 1 MB by TCP. */
const REST_OF_PARTNER_MS = 500;
const MOVE_MS = SECOND;
/** Evidence is gathered for a second before it is written. */
const TELL_MS = SECOND;
/** The pool is written, and what is given up is received for so long. */
const DRAIN_MS = 5 * SECOND;

export interface DurationInput {
  readonly nodes: number;
  readonly proof: ProofPreview | undefined;
  readonly waves: readonly (readonly string[])[];
  readonly proveOnly: boolean;
}

export function expectedDuration(input: DurationInput): {
  readonly ms: number;
  readonly parts: readonly DurationPart[];
} {
  const parts: DurationPart[] = [];
  if (input.proof) parts.push(proving(input.proof, input.nodes));
  else parts.push({ phase: "Widening", ms: WIDEN_MS, because: "nodes make ready to receive" });
  if (!input.proveOnly) {
    const waves = input.waves.filter((wave) => wave.length > 0).length;
    const each = MOVE_MS + SETTLE_MS + TELL_MS;
    parts.push(
      {
        phase: "Canary, Rolling",
        ms: BASELINE_MS + waves * each,
        because: `${BASELINE_MS / SECOND} s to see what is usual, ${waves} waves of ${each / SECOND} s`,
      },
      { phase: "Verifying", ms: SETTLE_MS + TELL_MS, because: "all nodes, until they are quiet" },
      {
        phase: "Narrowing",
        ms: MOVE_MS + TELL_MS + DRAIN_MS,
        because: "after it is confirmed; the old mode is received for 5 s more",
      },
    );
  }
  return { ms: parts.reduce((sum, { ms }) => sum + ms, 0), parts };
}

function proving({ pairs }: ProofPreview, nodes: number): DurationPart {
  const partners = nodes === 0 ? 0 : Math.ceil(pairs / nodes);
  const share = Math.floor(LOSS_PACKETS_OF_NODE / Math.max(1, partners));
  const packets = Math.min(LOSS_PACKETS, Math.max(LEAST_LOSS_PACKETS, share));
  const eachMs = (packets / LOSS_PER_SECOND) * SECOND + REST_OF_PARTNER_MS;
  const fullMs = Math.ceil(partners / AT_A_TIME) * eachMs;
  return {
    phase: "Proving",
    ms: WIDEN_MS + FIRST_ROUND_MS + fullMs,
    because: `${partners} partners per node, ${AT_A_TIME} at a time, ${packets} packets each at ${LOSS_PER_SECOND} a second`,
  };
}
