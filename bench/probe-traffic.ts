/** What the proof and the guard of a mode change sent, summed over the evidence of its nodes. Pure. */

import type { ModeEvidence } from "../src/model/index.ts";
import { PROBE_HEADER_BYTES } from "../src/probe/index.ts";

export interface ProbeTraffic {
  /** UDP packets of the proof, answers included; what a large packet was tried again for is not. */
  readonly proofPackets: number;
  /** Of those, and of the transfers by TCP, with IP headers and without what encapsulates them. */
  readonly proofBytes: number;
  readonly liveProbes: number;
  readonly liveLost: number;
  readonly liveLongestGapMs: number;
  /** The worst of the nodes. */
  readonly liveRttP99Us: number;
  readonly breaches: readonly string[];
}

const IP_AND_UDP_HEADERS_BYTES = 28;
const SMALL_BYTES = IP_AND_UDP_HEADERS_BYTES + PROBE_HEADER_BYTES;

export function probeTraffic(evidence: readonly ModeEvidence[]): ProbeTraffic {
  let [proofPackets, proofBytes, liveProbes, liveLost] = [0, 0, 0, 0];
  let [liveLongestGapMs, liveRttP99Us] = [0, 0];
  const breaches: string[] = [];
  for (const { spec, status } of evidence) {
    for (const { first, both, full, tcp, loss } of status?.results ?? []) {
      const small =
        (first?.sent ?? 0) +
        (both ? both.sent + both.received : 0) +
        (loss ? loss.sent + loss.received : 0);
      proofPackets += small + (full?.arrived ? 2 : 0);
      proofBytes += small * SMALL_BYTES + (tcp?.completed ? tcp.bytes : 0);
      if (full?.arrived) proofBytes += full.bytes + SMALL_BYTES;
    }
    const { probes, breaches: seen } = status?.guard ?? {};
    liveProbes += probes?.sent ?? 0;
    liveLost += probes?.lost ?? 0;
    liveLongestGapMs = Math.max(liveLongestGapMs, probes?.longestGapMs ?? 0);
    liveRttP99Us = Math.max(liveRttP99Us, probes?.rttP99Us ?? 0);
    breaches.push(...(seen ?? []).map(({ message }) => `${spec.node}: ${message}`));
  }
  return {
    ...{ proofPackets, proofBytes, liveProbes, liveLost, liveLongestGapMs, liveRttP99Us },
    breaches,
  };
}
